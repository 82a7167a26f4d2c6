//! DataFusion's session, and the threads that it runs on.
//!
//! Assumptions: the scratch directory, where it exists and may be written when the first plan runs, is the
//! engine's alone; without it nothing spills.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};
use tokio::runtime::Runtime;

use super::EngineError;

/// A session with its own threads. Blocking from outside: callers need no async.
#[derive(Debug)]
pub(crate) struct Session {
    /// Made when the first plan runs: whoever does nothing but look at files leaves scratch as it is, and a
    /// pass has cleared it by then.
    context: OnceLock<SessionContextDebug>,
    scratch: PathBuf,
    memory: usize,
    /// Taken out only by `drop`.
    runtime: Option<Runtime>,
    jobs: usize,
}

struct SessionContextDebug(SessionContext);

impl std::fmt::Debug for SessionContextDebug {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionContext")
    }
}

impl Session {
    /// A session of `jobs` threads, `memory` bytes for operators that can spill, spilling to
    /// `scratch`.
    pub(crate) fn new(scratch: &Path, memory: usize, jobs: usize) -> Result<Self, EngineError> {
        let jobs = jobs.max(1);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(jobs)
            .thread_name("amparo-engine")
            .build()
            .map_err(|_| EngineError::Start("its threads"))?;
        let (context, scratch) = (OnceLock::new(), scratch.to_owned());
        Ok(Self { context, scratch, memory, runtime: Some(runtime), jobs })
    }

    fn make_context(&self) -> Result<SessionContext, EngineError> {
        // A pass that only looks writes nothing, not even a directory for spills it will not need.
        let mode = match writable(&self.scratch) {
            true => DiskManagerMode::Directories(vec![self.scratch.clone()]),
            false => DiskManagerMode::Disabled,
        };
        let spills = DiskManagerBuilder::default().with_mode(mode);
        let environment = RuntimeEnvBuilder::new()
            .with_memory_limit(self.memory, 1.0)
            .with_disk_manager_builder(spills)
            .build_arc()
            .map_err(|_| EngineError::Start("its memory and scratch space"))?;
        let mut config = SessionConfig::new().with_target_partitions(self.jobs);
        // INT96 in nanoseconds wraps for dates beyond 2262, silently.
        config.options_mut().execution.parquet.coerce_int96 = Some("us".to_owned());
        Ok(SessionContext::new_with_config_rt(config, environment))
    }

    /// Threads.
    pub(crate) const fn jobs(&self) -> usize {
        self.jobs
    }

    /// What plans run in.
    ///
    /// # Errors
    /// [`EngineError::Start`].
    pub(crate) fn task_context(&self) -> Result<Arc<TaskContext>, EngineError> {
        if let Some(context) = self.context.get() {
            return Ok(context.0.task_ctx());
        }
        let context = SessionContextDebug(self.make_context()?);
        Ok(self.context.get_or_init(|| context).0.task_ctx())
    }

    /// Runs to the end, blocking.
    ///
    /// # Errors
    /// An [`EngineError`] that the work wrapped in [`DataFusionError::External`] comes out as it is;
    /// what DataFusion itself says could quote values and is put in our own words.
    pub(crate) fn run<T>(
        &self,
        work: impl Future<Output = Result<T, DataFusionError>>,
    ) -> Result<T, EngineError> {
        match &self.runtime {
            Some(runtime) => runtime.block_on(work).map_err(own_error),
            None => Err(EngineError::Bug("a session that was dropped")),
        }
    }
}

/// Whether spills can go to the directory. `plan` may run where it can only read.
fn writable(scratch: &Path) -> bool {
    let rights = rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK;
    scratch.is_dir() && rustix::fs::access(scratch, rights).is_ok()
}

fn own_error(error: DataFusionError) -> EngineError {
    match error {
        DataFusionError::External(inner) => match inner.downcast::<EngineError>() {
            Ok(own) => *own,
            Err(_) => EngineError::Bug("the query engine failed"),
        },
        DataFusionError::Context(_, inner) => own_error(*inner),
        DataFusionError::ResourcesExhausted(_) => {
            EngineError::Resources("the query engine could not spill enough")
        }
        _ => EngineError::Bug("the query engine failed"),
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Dropping a runtime inside another one panics.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
