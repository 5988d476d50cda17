//! What a user sees of a running fit, and Ctrl-C.

use crate::args::fit::FitArgs;
use crate::text::complain;
use foveola::fit::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Whether Ctrl-C was pressed.
static ENDED: AtomicBool = AtomicBool::new(false);

/// The exit code of a program that Ctrl-C ended, as shells count it.
const INTERRUPTED: i32 = 130;

/// Between two lines where there is no terminal.
const PAUSE: Duration = Duration::from_secs(10);

/// Sees each step of a fit.
pub(super) struct Watcher {
    bar: ProgressBar,
    /// When the next line is due; none where there are no lines.
    next: Option<Instant>,
    validates: bool,
}

impl Watcher {
    /// Starts to listen to Ctrl-C.
    pub(super) fn new(args: &FitArgs) -> Self {
        // Where it cannot be listened to, Ctrl-C ends the program as ever.
        let _ = ctrlc::set_handler(|| {
            if ENDED.swap(true, Ordering::Relaxed) {
                std::process::exit(INTERRUPTED);
            }
            complain("\nCtrl-C: the fit ends with the best values so far; again to end at once\n");
        });
        let silent = args.quiet || args.model.json;
        let target = if silent { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let style =
            ProgressStyle::with_template("{spinner} {wide_msg}").unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::with_draw_target(None, target).with_style(style).with_message("the first evaluation");
        bar.enable_steady_tick(Duration::from_millis(200));
        let lines = !silent && !std::io::stderr().is_terminal();
        Self {
            bar,
            next: lines.then(|| Instant::now() + PAUSE),
            validates: args.validate.is_some_and(|share| share > 0.0),
        }
    }

    /// Shows a step.
    pub(super) fn see(&mut self, progress: &Progress) -> ControlFlow<()> {
        let line = self.line(progress);
        if self.next.is_some_and(|next| Instant::now() >= next) {
            complain(&format!("{line}\n"));
            self.next = Some(Instant::now() + PAUSE);
        }
        self.bar.set_message(line);
        if ENDED.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn line(&self, progress: &Progress) -> String {
        let Progress { evaluations, loss, gradient_norm, validation, .. } = progress;
        let validation = match validation {
            Some(validation) if self.validates => format!(", validation {validation:.5}"),
            _ => String::new(),
        };
        format!("{evaluations:>4}: loss {loss:.5}{validation}, gradient {gradient_norm:.1e}")
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
