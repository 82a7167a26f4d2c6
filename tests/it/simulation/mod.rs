//! Weeks of operations on a simulated lake under a simulated clock, checked after every pass against a
//! small model of what must be true.
//!
//! `AMPARO_SIMULATIONS=N` runs N histories in place of the usual few, `AMPARO_SIMULATION_SEED=S` begins
//! at seed S, `AMPARO_SIMULATION_TRACE=1` prints the steps as they go. A failure prints its seed and the
//! shortest history that was found to fail.

mod check;
mod dice;
mod effect;
mod find;
mod killed;
mod model;
mod ops;
mod pass;
mod people;
mod rows;
mod run;
mod schema;
mod world;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use ops::{Step, history, passes, processes};
use run::live;

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Runs histories of the seeds `first..first + count`.
fn simulate(first: u64, count: u64, steps: &impl Strategy<Value = Vec<Step>>) {
    let first = number("AMPARO_SIMULATION_SEED", first);
    for seed in first..first + number("AMPARO_SIMULATIONS", count) {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let shrinks = u32::try_from(number("AMPARO_SIMULATION_SHRINKS", 150)).unwrap();
        let config = Config {
            cases: 1,
            max_shrink_iters: shrinks,
            failure_persistence: None,
            ..Config::default()
        };
        let outcome = TestRunner::new_with_rng(config, rng)
            .run(steps, |steps| live(seed, &steps).map_err(TestCaseError::fail));
        match outcome {
            Ok(()) => {}
            Err(TestError::Fail(why, steps)) => {
                let steps: Vec<String> =
                    steps.iter().map(|step| format!("  {:?} {:?}", step.run, step.ops)).collect();
                panic!("seed {seed}: {why}\n{}", steps.join("\n"));
            }
            Err(error) => panic!("seed {seed}: {error}"),
        }
    }
}

#[test]
fn weeks_of_operations_come_to_what_the_model_says() {
    simulate(1, 5, &history(20, passes()));
}

#[test]
fn other_weeks_of_operations_do_too() {
    simulate(1001, 5, &history(20, passes()));
}

#[test]
fn processes_that_are_killed_come_to_it_in_the_end() {
    simulate(3001, 3, &history(8, processes()));
}
