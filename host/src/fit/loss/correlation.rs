//! Correlation: one minus Pearson's coefficient, averaged over the neurons that have weight.
//!
//! With weighted sums about the means, `spp`, `stt`, `spt`:
//! ```text
//! r = spt / sqrt(spp stt)        dr/dp_i = w_i ((t_i - mean t) / sqrt(spp stt) - r (p_i - mean p) / spp)
//! ```
//! A prediction that is constant within rounding has no `r`: its value is 1, and its gradient, `-w_i (t_i - mean t) /
//! stt`, is that of a prediction that begins to follow the target, so that a kernel of zeros is no dead end.

use super::Observed;
use crate::{Error, Result};

/// The value; writes the gradient unless it is empty. The prediction is finite.
pub(super) fn evaluate(item: &'static str, observed: &Observed<'_>, gradient: &mut [f32]) -> Result<f64> {
    let moments = observed.moments();
    let counted = moments.iter().filter(|m| m.weight > 0.0).count() as f64;
    let mut value = 0.0;
    // Of each neuron: factors of the target and of the prediction in the gradient.
    let mut factors = Vec::with_capacity(moments.len());
    for (neuron, m) in moments.iter().enumerate() {
        if m.weight > 0.0 && m.target_is_constant() {
            let value = format!("constant for neuron {neuron}");
            let expected = "a target that varies; weights of 0 leave a neuron out";
            return Err(Error::Parameter { item, name: "target", value, expected });
        }
        if m.weight == 0.0 {
            factors.push((0.0, 0.0));
        } else if m.prediction_is_constant() {
            value += 1.0;
            factors.push((-1.0 / m.tt, 0.0));
        } else {
            value += 1.0 - m.correlation();
            factors.push((-1.0 / (m.pp * m.tt).sqrt(), m.correlation() / m.pp));
        }
    }
    if !gradient.is_empty() {
        for s in observed.samples() {
            let (m, (of_target, of_prediction)) = (&moments[s.neuron], factors[s.neuron]);
            let slope = of_target * (s.target - m.target) + of_prediction * (s.prediction - m.prediction);
            gradient[s.at] = super::narrow(s.weight / counted * slope);
        }
    }
    Ok(value / counted)
}
