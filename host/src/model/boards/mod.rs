//! What a model takes on a Cortex-M4 or M7: instructions of its filters, and the program around it.

mod cost;
mod program;
#[cfg(all(test, feature = "files"))]
mod tests;
mod work;

use foveola_core::Graph;
pub use program::Program;

/// Instructions of a node for each frame of the model, on average; [`None`] where they are not predicted.
pub(crate) fn instructions(graph: &Graph<'_>, node: usize) -> Option<f64> {
    work::of_node(graph, node).map(|work| work.instructions())
}
