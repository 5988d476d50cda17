//! State layouts: whether one filter can continue with the state of another.
//!
//! A filter may be exchanged in mid-stream when both filters have the same layout: the same kind of filter, and frames
//! that are stored alike. Weights, biases, time constants and scales then change from the next frame on, and the state
//! keeps its contents. Filters with another border, ring or rate have another layout, even when the state has the same
//! length.

use super::{Node, Stage};
use crate::{Rate, Sample, Shape};

/// A number that identifies a state layout (FNV-1a over what it depends on, as in [`Digest`](crate::Digest)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout(u64);

impl Layout {
    const fn of(kind: u64) -> Self {
        Self(0xcbf2_9ce4_8422_2325).and(kind)
    }

    const fn and(self, number: u64) -> Self {
        let (mut hash, mut byte) = (self.0, 0);
        while byte < 8 {
            hash = (hash ^ (number >> (8 * byte) & 0xff)).wrapping_mul(0x0000_0100_0000_01b3);
            byte += 1;
        }
        Self(hash)
    }

    const fn counts<const N: usize>(mut self, counts: [usize; N]) -> Self {
        let mut i = 0;
        while i < N {
            self = self.and(counts[i] as u64);
            i += 1;
        }
        self
    }
}

/// To be saved with the state.
impl From<Layout> for u64 {
    fn from(layout: Layout) -> Self {
        layout.0
    }
}

/// What was saved with a state.
impl From<u64> for Layout {
    fn from(number: u64) -> Self {
        Self(number)
    }
}

impl<T: Sample> Node<'_, T> {
    /// The layout of the node's state; `None` for a node that stores neither frames of a stream nor their count.
    pub const fn layout(&self) -> Option<Layout> {
        match self {
            Self::Filter(_, stage) if !stage.signature().is_memoryless() => Some(stage.layout()),
            _ => None,
        }
    }
}

impl<T: Sample> Stage<'_, T> {
    const fn layout(&self) -> Layout {
        let kind = match self {
            Self::TimePadding(_) => Layout::of(0),
            Self::Delay(filter) => {
                let (delay, length) = filter.frames();
                Layout::of(1).counts([delay, length])
            }
            Self::VariableDelay(_) => Layout::of(2),
            Self::Conv3d(filter) => {
                let border = match filter.options().border {
                    // The rows are stored with their border.
                    Some(border) if filter.border(2).1 > 0 => 1 + border as usize,
                    _ => 0,
                };
                Layout::of(3).counts([filter.extent(0), filter.stride(), filter.border(2).0, border])
            }
            Self::Rf(filter) => {
                let (rows, cols) = filter.area();
                Layout::of(4).counts([filter.kernel().shape[2], rows, cols])
            }
            Self::LowPass(_) => Layout::of(5),
            Self::HighPass(_) => Layout::of(6),
            Self::SmoothConv(filter) => {
                let border = if filter.weights().1[1] > 1 { 1 + filter.border() as usize } else { 0 };
                let (mut layout, decays, mut i) = (Layout::of(7).counts([filter.stride(), border]), filter.decays(), 0);
                while i < decays.len() {
                    layout = layout.and(decays[i].is_compensated() as u64);
                    i += 1;
                }
                layout
            }
            Self::Pointwise(_) => Layout::of(8),
            Self::Sum(_) => Layout::of(9),
            Self::Diff(_) => Layout::of(10),
            Self::Finite(_) => Layout::of(11),
            Self::Custom(..) => Layout::of(12),
        };
        let signature = self.signature();
        let (Shape { channels, rows, cols }, Rate { first, every }) = (signature.input, signature.rate);
        kind.counts([channels, rows, cols, signature.state, signature.lead]).and(first).and(every)
    }
}
