//! The program around a model: what it needs beside tables, frames, state and scratch.
//!
//! ```text
//! flash        = sum of the code for what the model has: any model, several nodes, each kind of filter
//! RAM          = a few variables
//! instructions = 75 + 1.5 for each sample of the input: to begin a frame, which is cleared
//! ```
//! The program is that of `firmware/model` without the recording in it: a pipeline from the bytes of a sensor to filtered frames,
//! which prints with defmt. The constants of flash are fitted to its images, which tests compare: `measured.tsv` and
//! `programs/measured.tsv` in `firmware/model`.

use super::cost::{Kind, Work};
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
        let flash = CODE.iter().filter(|code| (code.of)(graph)).map(|code| code.bytes).sum();
        let mut work = Work::default();
        work.add(Kind::Frame, 1);
        work.add(Kind::Cleared, graph.input().len());
        Self { flash, ram: RAM, instructions: work.instructions().round() as u64 }
    }
}

/// Static variables beside the model.
const RAM: usize = 24;

/// Code that a program has if its model has such nodes.
struct Code {
    bytes: usize,
    of: fn(&Graph<'_>) -> bool,
}

/// Whether the graph has such a filter.
macro_rules! has {
    ($($kind:ident)|*) => {
        |graph: &Graph<'_>| graph.nodes().iter().any(|node| matches!(node, $(Node::Filter(_, Stage::$kind(..)))|*))
    };
}

/// Of a single filter the compiler knows all constants.
const fn several(graph: &Graph<'_>) -> bool {
    graph.nodes().len() > 1
}

const CODE: [Code; 11] = [
    Code { bytes: 40_259, of: |_| true },
    Code { bytes: 12_405, of: several },
    Code { bytes: 11_221, of: has!(Conv3d | SmoothConv) },
    Code { bytes: 14_207, of: |graph| several(graph) && has!(Conv3d | SmoothConv)(graph) },
    Code { bytes: 13_838, of: has!(Conv3d) },
    Code { bytes: 6_518, of: has!(SmoothConv) },
    Code { bytes: 6_067, of: has!(LowPass) },
    Code { bytes: 4_873, of: has!(HighPass) },
    Code { bytes: 3_846, of: has!(Pointwise) },
    Code { bytes: 23_334, of: has!(Rf) },
    Code { bytes: 5_328, of: has!(Delay | VariableDelay | TimePadding | Diff | Sum | Finite | Custom) },
];
