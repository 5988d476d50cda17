//! What a reader of a fit should know before trusting it.

use crate::args::fit::FitArgs;
use foveola::fit::{Fitted, FittedParameter, Why};

/// Why a fit ended, in words.
pub(super) fn ended(why: Why) -> &'static str {
    match why {
        Why::Converged => "converged",
        Why::NoProgress => "steps no longer decrease the loss",
        Why::NoStep => "no lower loss was found",
        Why::Evaluations => "all evaluations were used",
        Why::Stopped => "ended by Ctrl-C",
        _ => "ended",
    }
}

/// What is weak about a fit, in sentences.
pub(super) fn hints(args: &FitArgs, fitted: &Fitted) -> Vec<String> {
    let mut hints = Vec::new();
    match fitted.why {
        Why::Evaluations => hints.push("Not converged: more --evaluations may find a lower loss.".into()),
        Why::Stopped => hints.push("Not converged: these are the best values until Ctrl-C.".into()),
        Why::NoStep if fitted.training.loss >= fitted.loss_before => {
            hints.push(
                "Nothing was found that is better than the start: other values to begin with may help (--set).".into(),
            );
        }
        _ => {}
    }
    if !fitted.without_errors.is_empty() {
        hints.push(format!("No standard errors: {}.", fitted.without_errors));
    }
    for parameter in &fitted.parameters {
        hints.extend(weak(parameter));
        hints.extend(args.bounds.iter().filter(|(name, ..)| *name == parameter.name).filter_map(at_bound(parameter)));
    }
    let (training, Some(validation)) = (&fitted.training, &fitted.validation) else {
        hints.push("No frames were left out: --validate 20% tells how well new ones are predicted.".into());
        return hints;
    };
    if validation.loss_of_mean.is_some_and(|mean| validation.loss >= mean) {
        hints.push(
            "The frames that were left out are predicted no better than by a constant: the fit does not generalise. Fewer \
             free parameters, a --penalty or more data may help."
                .into(),
        );
    } else if let (Some(own), Some(new)) = (training.variance_explained, validation.variance_explained)
        && own - new > 0.2
    {
        hints.push("Much better on its own frames than on those left out: a --penalty or more data may help.".into());
    }
    hints
}

/// Numbers whose standard error is larger than they are.
fn weak(parameter: &FittedParameter) -> Option<String> {
    let errors = parameter.errors.as_ref()?;
    let weak = parameter.after.iter().zip(errors).filter(|(value, error)| **error > value.abs()).count();
    match (weak, parameter.after.len()) {
        (0, _) => None,
        (_, 1) => Some(format!("{} is hardly determined: its standard error is larger than itself.", parameter.name)),
        // Of a kernel with tails most numbers are near 0.
        (weak, all) if weak == all => {
            Some(format!("No number of {} is larger than its standard error.", parameter.name))
        }
        _ => None,
    }
}

/// Tells of a value within a hundredth of the interval of a bound.
fn at_bound(parameter: &FittedParameter) -> impl Fn(&(String, f64, f64)) -> Option<String> {
    move |(name, low, high)| {
        let near = |bound: &f64| parameter.after.iter().any(|value| (value - bound).abs() < 0.01 * (high - low));
        let bound = [low, high].into_iter().find(|bound| near(bound))?;
        Some(format!("{name} is at its bound {bound}: the best value may lie beyond."))
    }
}
