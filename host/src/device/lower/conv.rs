//! Convolutions: their temporal padding, and one correlation, or one along each axis.

use super::history::Ring;
use super::{Lowering, Reached};
use crate::device::correlation::{Correlation, Past};
use crate::device::pass::Operand;
use foveola_core::{Conv3d, Factors, PadMode, Shape};

impl Lowering<'_, '_, '_> {
    pub(super) fn conv(&mut self, node: usize, conv: &Conv3d<'_>, at: usize, from: &Reached, output: Operand) {
        let (kernel, options, slots) = (*conv.kernel(), *conv.options(), conv.extents()[0]);
        let signature = conv.signature();
        let (row, left, border) = if conv.is_pointwise() {
            (from.shape.cols, 0, None)
        } else {
            (conv.stride(), conv.borders()[1].0, options.border)
        };
        let ring = Ring { at, slots, shape: from.shape, row, left, border };
        if from.t == 0 {
            self.start(ring, slots - 1, options.pad.unwrap_or(PadMode::Zeros), from);
        }
        let rate = signature.rate;
        let first = rate.count(from.t).saturating_mul(rate.every).saturating_add(rate.first).saturating_sub(from.t);
        let now = (from.t % slots as u64) as usize;
        let past = Past { stream: slots * conv.frame(), offset: at, slots, now, row, left };
        let bias = match kernel.bias {
            [] => None,
            bias => Some(self.constants.samples((node, "bias"), || bias.to_vec())),
        };
        let correlation = Correlation {
            input: from.operand.clone(),
            shape: from.shape,
            streams: self.chunk.streams,
            frames: from.frames,
            past: (slots > 1).then_some(past),
            weights: Operand::Input,
            bias,
            kernel: kernel.shape,
            groups: options.groups,
            dilation: options.dilation,
            step: [options.stride[1], options.stride[2]],
            top: conv.borders()[0].0,
            left: conv.borders()[1].0,
            border: options.border.unwrap_or_default(),
            output,
            size: [signature.output.rows, signature.output.cols],
            count: rate.frames(from.t, from.frames),
            first: first as usize,
            every: options.stride[0],
        };
        // Separable kernels need a separate input for each output; others are computed directly.
        match conv.factors().filter(|_| kernel.shape[0] == options.groups) {
            Some(factors) => self.separable(node, &correlation, factors, kernel.shape[0] * kernel.shape[1]),
            None => {
                let weights = self.constants.samples((node, "weight"), || kernel.weights.to_vec());
                self.correlate(Correlation { weights, ..correlation });
            }
        }
        if slots > 1 {
            self.store(ring, slots - 1, from);
        }
    }

    /// `correlation` with the `factors` of its kernel: time, columns, rows. Each of its `pairs` of channels has its own
    /// input.
    pub(super) fn separable(&mut self, node: usize, correlation: &Correlation, factors: &Factors<'_>, pairs: usize) {
        let (outs, [_, _, kt, kh, kw]) = (correlation.kernel[0], correlation.kernel);
        let (planes, streams) = (pairs * factors.terms, correlation.streams);
        let mut constant = |key, values: &[f32]| self.constants.samples((node, key), || values.to_vec());
        let (in_time, along_cols, along_rows) = (
            (kt > 1).then(|| constant("time", factors.time)),
            constant("cols", factors.cols),
            constant("rows", factors.rows),
        );
        let mut columns = Correlation {
            weights: along_cols,
            bias: None,
            kernel: [planes, 1, 1, 1, kw],
            groups: pairs,
            top: 0,
            size: [correlation.shape.rows, correlation.size[1]],
            past: None,
            ..correlation.clone()
        };
        let (rows_in, cols_out) = (correlation.shape.rows, correlation.size[1]);
        let mut past_planes = None;
        if let Some(weights) = in_time {
            let (rows, cols) = (correlation.shape.rows, correlation.shape.cols);
            let output = self.slot(streams * correlation.count * planes * rows * cols);
            self.correlate(Correlation {
                weights,
                bias: None,
                kernel: [planes, 1, kt, 1, 1],
                groups: pairs,
                top: 0,
                left: 0,
                output: output.clone(),
                size: [rows, cols],
                ..correlation.clone()
            });
            columns = Correlation {
                input: output.clone(),
                shape: Shape::new(planes, rows, cols),
                frames: correlation.count,
                groups: planes,
                first: 0,
                every: 1,
                ..columns
            };
            past_planes = Some(output);
        }
        let output = self.slot(streams * correlation.count * planes * rows_in * cols_out);
        columns.output = output.clone();
        self.correlate(columns);
        self.correlate(Correlation {
            input: output.clone(),
            shape: Shape::new(planes, rows_in, cols_out),
            frames: correlation.count,
            past: None,
            weights: along_rows,
            kernel: [outs, planes / outs, 1, kh, 1],
            groups: outs,
            left: 0,
            first: 0,
            every: 1,
            ..correlation.clone()
        });
        self.release(&output);
        if let Some(past) = past_planes {
            self.release(&past);
        }
    }
}
