//! Progress bars on a terminal; nothing elsewhere.

use indicatif::{ProgressBar, ProgressStyle};

use crate::reconcile::{Event, Events};

use super::terminal::Terminal;

/// Shows the events of a pass.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    terminal: Terminal,
}

impl Progress {
    pub(crate) fn new(terminal: &Terminal) -> Self {
        let bar = terminal.interactive().then(|| {
            let bar = ProgressBar::new(0);
            if let Ok(style) = ProgressStyle::with_template("{msg:12} {wide_bar} {pos}/{len}") {
                bar.set_style(style);
            }
            bar
        });
        Self { bar, terminal: *terminal }
    }
}

impl Events for Progress {
    fn event(&mut self, event: Event) {
        match event {
            Event::Stage { name, steps } => {
                tracing::info!(steps, "{name}");
                if let Some(bar) = &self.bar {
                    bar.set_position(0);
                    bar.set_length(steps);
                    bar.set_message(name);
                }
            }
            Event::Step { what } => {
                tracing::debug!("{what}");
                if let Some(bar) = &self.bar {
                    bar.inc(1);
                }
            }
            Event::Erased(measured) => tracing::debug!(?measured, "erased"),
            Event::Notice { text } => match &self.bar {
                Some(bar) => bar.suspend(|| self.terminal.say(&text)),
                None => self.terminal.say(&text),
            },
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
