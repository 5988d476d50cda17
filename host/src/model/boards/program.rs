//! The program around a model: what it needs beside tables, frames, state and scratch.
//!
//! ```text
//! flash        = sum of the code for what the model has: any model, several nodes, kinds of filters, rare cases of convolutions
//! RAM          = a few variables
//! instructions = 75 + 1.5 for each sample of the input: to begin a frame, which is cleared
//! ```
//! The program is that of `firmware/model` without the recording in it: a pipeline from the bytes of a sensor to filtered frames,
//! which prints with defmt. The constants of flash are fitted to its images, which tests compare: `measured.tsv` and
//! `programs/measured.tsv` in `firmware/model`.

use super::cost::{Kind, Work};
use foveola_core::engine::Cases;
use foveola_core::{Graph, Node, Stage};

/// The program around a model on a Cortex-M4 or M7, as predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Program {
    /// Bytes of flash for code and constants, without the tables of the model.
    pub flash: usize,
    /// Bytes of RAM for static variables, without those of the model and without the stack.
    pub ram: usize,
    /// Instructions to begin a frame, without events and without the model.
    pub instructions: u64,
}

impl Program {
    pub(crate) fn around(graph: &Graph<'_>) -> Self {
        let flash = CODE.iter().map(|code| code.bytes * (code.of)(graph)).sum();
        let mut work = Work::default();
        work.add(Kind::Frame, 1);
        work.add(Kind::Cleared, graph.input().len());
        Self { flash, ram: RAM, instructions: work.instructions().round() as u64 }
    }
}

/// Static variables beside the model.
const RAM: usize = 24;

/// Code that a program has once for each of what `of` counts.
struct Code {
    bytes: usize,
    of: fn(&Graph<'_>) -> usize,
}

/// Whether the graph has such a filter.
macro_rules! has {
    ($($kind:ident)|*) => {
        |graph: &Graph<'_>| {
            usize::from(graph.nodes().iter().any(|node| matches!(node, $(Node::Filter(_, Stage::$kind(..)))|*)))
        }
    };
}

/// How many of these cases the graph has.
fn cases<const N: usize>(graph: &Graph<'_>, cases: [Cases; N]) -> usize {
    cases.into_iter().filter(|case| graph.cases().has(*case)).count()
}

/// Of a single filter the compiler knows all constants.
fn several(graph: &Graph<'_>) -> usize {
    usize::from(graph.nodes().len() > 1)
}

const CODE: [Code; 10] = [
    Code { bytes: 43_922, of: |_| 1 },
    Code { bytes: 8_564, of: several },
    Code { bytes: 9_489, of: has!(Conv3d) },
    Code { bytes: 8_675, of: has!(SmoothConv) },
    Code { bytes: 13_339, of: |graph| cases(graph, [Cases::STRIDE]) },
    Code { bytes: 8_860, of: |graph| cases(graph, [Cases::IN_TIME]) },
    Code { bytes: 4_996, of: has!(LowPass | HighPass) },
    Code { bytes: 868, of: |graph| (0..8).map(|function| cases(graph, [Cases::function(function)])).sum() },
    Code { bytes: 20_234, of: has!(Rf) },
    Code { bytes: 2_053, of: has!(Delay | VariableDelay | TimePadding | Diff | Sum | Finite | Custom) },
];
