//! The layers of a model, and the table of nodes built from them for frames of a given shape.

use crate::cpu::simd::Precision;
use crate::device::Device;
use crate::model::layer::{Compiled, Table, Target};
use crate::{Error, Layer, Result};
use foveola_core::{Shape, Source};

/// The layers, the device and the settings of the computation.
#[derive(Clone, Default)]
pub(super) struct Cascade {
    layers: Vec<Box<dyn Layer>>,
    pub(super) precision: Precision,
    pub(super) device: Device,
    /// Increases when a layer may have changed.
    revision: u64,
}

impl Cascade {
    pub(super) fn of(layer: Box<dyn Layer>) -> Self {
        Self { layers: vec![layer], ..Self::default() }
    }

    pub(super) fn layers(&self) -> &[Box<dyn Layer>] {
        &self.layers
    }

    /// The layers, for modification.
    pub(super) fn changing(&mut self) -> &mut Vec<Box<dyn Layer>> {
        self.revision += 1;
        &mut self.layers
    }

    /// A number that differs whenever the layers may differ.
    pub(super) fn revision(&self) -> u64 {
        self.revision
    }

    /// The nodes of all layers; the first one reads `from`.
    pub(super) fn compile<'a>(&'a self, table: &mut Table<'a>, mut from: Source) -> Result<Source> {
        for (i, layer) in self.layers.iter().enumerate() {
            from = layer.compile(table, from).map_err(|error| match error {
                Error::Layer { layer, source } => Error::layer(format!("layer {i}, {layer}"), source),
                other => other,
            })?;
        }
        Ok(from)
    }

    /// Calls `run` with the core's table of this model, for frames of `input`. `shared` tells whether several threads are
    /// used.
    pub(super) fn compiled<T>(
        &self,
        input: Shape,
        table: &mut Table<'static>,
        shared: bool,
        run: impl FnOnce(Compiled<'_>) -> Result<T>,
    ) -> Result<T> {
        let mut borrowed: Table<'_> = std::mem::take(table).recycle();
        let target = match self.precision.level() {
            _ if self.device.is_device() => Target::Device,
            Some(level) => Target::Vectors(level),
            None => Target::Taps,
        };
        borrowed.begin(input, target, shared);
        let result = self.fill(&mut borrowed).and_then(|()| run(borrowed.compiled()?));
        *table = borrowed.recycle();
        result
    }

    fn fill<'a>(&'a self, table: &mut Table<'a>) -> Result<()> {
        let from = self.compile(table, Source::Input)?;
        table.end(from);
        Ok(())
    }

    /// The layer that a node of the table belongs to, for messages: its number, its name, and the position of the node if
    /// the layer has several.
    pub(super) fn layer_of(&self, node: usize, input: Shape) -> String {
        let (mut table, mut from) = (Table::new(input), Source::Input);
        for (i, layer) in self.layers.iter().enumerate() {
            let first = table.nodes().len();
            match layer.compile(&mut table, from) {
                Ok(next) => from = next,
                Err(_) => break,
            }
            let count = table.nodes().len() - first;
            if node < first + count {
                let name = layer.name();
                return match count {
                    1 => format!("layer {i}, {name}"),
                    _ => format!("layer {i}, {name} (step {} of {count})", node - first + 1),
                };
            }
        }
        format!("node {node}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Branches, Diff, NLRectify, NLSquare};

    #[test]
    fn nodes_are_steps_of_their_layers() {
        let mut cascade = Cascade::of(Box::new(Diff));
        let square = NLSquare::new(1.0, 0.0).expect("finite");
        cascade.changing().push(Box::new(Branches::new().plus(NLRectify).minus(square)));
        let names = [0, 1, 2, 3, 4].map(|node| cascade.layer_of(node, Shape::new(1, 2, 3)));
        let step = |n: usize| format!("layer 1, Branches (step {n} of 3)");
        assert_eq!(names, ["layer 0, Diff".into(), step(1), step(2), step(3), "node 4".into()]);
    }
}
