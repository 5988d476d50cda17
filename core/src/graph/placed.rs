//! A table of places, filled once: in a constant, or by [`Graph::with_places`].

use super::share::share;
use super::{Graph, Node, Place};
use crate::{Error, Sample, Shape};

/// A [`Graph`] and the places of its `N` nodes, which share their memory: for constants.
///
/// ```
/// use foveola_core::{Decay, Filter, Graph, LowPass, Node, PlacedGraph, Shape, Source, Stage, constant};
/// const SHAPE: Shape = Shape::new(1, 8, 8);
/// const fn low_pass(tau: f64) -> Stage<'static> {
///     Stage::LowPass(LowPass::new(SHAPE, constant!(Decay::new(tau, 1000.0))))
/// }
/// static NODES: [Node; 3] = [
///     Node::Filter(Source::Input, low_pass(0.005)),
///     Node::Filter(Source::Input, low_pass(0.050)),
///     Node::Add([(Source::Node(0), 1.0), (Source::Node(1), -1.0)]),
/// ];
/// static PLACED: PlacedGraph<3> = constant!(PlacedGraph::new(SHAPE, &NODES));
/// const MODEL: Graph = PLACED.graph();
/// // The output holds the fast branch until the slow one is subtracted from it.
/// assert_eq!(MODEL.signature().scratch.len(1), 64);
/// let (mut state, mut scratch, mut out) = ([0.0; 128], [0.0; 64], [0.0; 64]);
/// MODEL.step(0, &mut state, &mut scratch, &[1.0; 64], &mut out).unwrap();
/// assert!(out[0] > 0.1);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct PlacedGraph<'a, const N: usize, T: Sample = f32> {
    graph: Graph<'a, T>,
    places: [Place; N],
}

impl<'a, const N: usize, T: Sample> PlacedGraph<'a, N, T> {
    /// [`Graph::new`] with a table of places.
    ///
    /// # Errors
    /// As [`Graph::new`].
    pub const fn new(input: Shape, nodes: &'a [Node<'a, T>; N]) -> Result<Self, Error> {
        Self::with_outputs(input, nodes, &[])
    }

    /// [`Graph::with_outputs`] with a table of places.
    ///
    /// # Errors
    /// As [`Graph::with_outputs`].
    pub const fn with_outputs(input: Shape, nodes: &'a [Node<'a, T>; N], outputs: &'a [usize]) -> Result<Self, Error> {
        let graph = match Graph::unchecked(input, nodes, outputs) {
            Ok(graph) => graph,
            Err(error) => return Err(error),
        };
        let mut places = [Place::first(input); N];
        if let Err(error) = graph.fill(&mut places) {
            return Err(error);
        }
        let (frames, signature) = Graph { places: &places, ..graph }.measured();
        Ok(Self { graph: Graph { frames, signature, ..graph }, places })
    }

    /// The model.
    pub const fn graph(&self) -> Graph<'_, T> {
        Graph { places: &self.places, ..self.graph }
    }
}

impl<T: Sample> Graph<'_, T> {
    /// Checks all nodes, and fills the table with their places.
    pub(super) const fn fill(&self, places: &mut [Place]) -> Result<(), Error> {
        let mut node = 0;
        while node < self.nodes.len() {
            let (done, rest) = places.split_at_mut(node);
            let graph = Graph { places: done, ..*self };
            if let Err(error) = graph.check_node(node) {
                return Err(error);
            }
            let before = if node > 0 { Some(done[node - 1].before()) } else { None };
            rest[0] = graph.place(node, &self.nodes[node], before);
            node += 1;
        }
        share(self.nodes, self.outputs, places);
        Ok(())
    }
}
