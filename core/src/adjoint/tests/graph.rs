//! Random models: gradients of all parameters and of the input against central differences, over random cuts.

mod models;

use super::*;
use crate::adjoint::{GraphAdjoint, GraphChunk, GraphNeeds, NodeAdjoint, Wanted};
use crate::{Error, Graph, Node, Source, Stage};
use models::{Gradients, Model, forward_graph, model};
use std::collections::BTreeSet;

/// What the gradients of a model depend on, for the list of what was tested.
fn features(model: &Model, cuts: &[usize], gradient: &[f64]) -> Vec<String> {
    let (mut found, mut k) = (Vec::new(), 0);
    for (i, row) in model.rows.iter().enumerate() {
        found.push(row.name());
        for (name, parameters) in ["weights", "bias", "gains", "scale"].iter().zip(&row.parameters) {
            if gradient[k..k + parameters.len()].iter().any(|g| *g != 0.0) {
                found.push(format!("{name} of {}", row.name()));
            }
            k += parameters.len();
        }
        let readers = |source: Source| model.rows.iter().flat_map(|row| &row.sources).filter(|x| **x == source).count();
        let from = model.stream(row.sources[0]);
        let has_state = model.with::<f64, _>(|graph| graph.nodes()[i].state() > 0).unwrap();
        let mut chunks = cuts.iter().scan(0, |t, frames| {
            *t += *frames as u64;
            Some(from.rate.frames(*t - *frames as u64, *frames))
        });
        let comes_first = chunks.find(|frames| *frames > 0).unwrap_or(0);
        let list = [
            (readers(row.sources[0]) > 1, "fan-out"),
            (row.sources.len() > 1 && row.sources[0] == row.sources[1], "a source twice"),
            (readers(Source::Node(i)) == 0 && i + 1 < model.rows.len() && !model.outputs.contains(&i), "no reader"),
            (model.outputs.contains(&i), "further output"),
            (from.lead > 0, "lead"),
            (from.rate.first > 0 && has_state, "state after a warm-up"),
            (from.rate.first > 0 && row.pads_with_first_chunk() && comes_first > 1, "padding after a warm-up"),
            (from.rate.every > 1 && has_state, "state after a stride"),
        ];
        found.extend(list.iter().filter(|(found, _)| *found).map(|(_, name)| (*name).into()));
    }
    found
}

/// Some step of a central difference is short enough to stay on one side of every kink.
fn check_slope(found: f64, mut loss: impl FnMut(f64) -> f64) -> Result<(), String> {
    let slopes = [1e-4, 1e-5, 1e-6, 1e-7].map(|h| (loss(h) - loss(-h)) / (2.0 * h));
    let fits = slopes.iter().any(|slope| (slope - found).abs() <= 1e-6 * (1.0 + slope.abs()));
    if fits { Ok(()) } else { Err(format!("the derivative is {found}; expected one of {slopes:?}")) }
}

/// A recording in chunks, and the gradients of the outputs.
type Data<'d> = (&'d [usize], &'d [f64], &'d [Vec<f64>]);

/// The gradients against central differences.
fn check_slopes(
    random: &mut Random,
    model: &mut Model,
    (cuts, x, y): Data<'_>,
    found: &Gradients,
) -> Result<(), String> {
    let direction = random.samples(x.len());
    check_slope(dot(&found.input, &direction), |h| {
        let moved: Vec<f64> = x.iter().zip(&direction).map(|(x, d)| x + h * d).collect();
        model.loss(cuts, &moved, y)
    })
    .map_err(|error| format!("input: {error}"))?;
    for (k, found) in found.parameters.iter().enumerate() {
        let value = *model.parameters().nth(k).unwrap();
        let result = check_slope(*found, |h| {
            *model.parameters().nth(k).unwrap() = value + h;
            model.loss(cuts, x, y)
        });
        *model.parameters().nth(k).unwrap() = value;
        result.map_err(|error| format!("parameter {k}: {error}"))?;
    }
    Ok(())
}

/// Other cuts after the first, unless they change the output.
fn check_cuts(random: &mut Random, model: &Model, (cuts, x, y): Data<'_>, found: &Gradients) -> Result<(), String> {
    if (0..model.rows.len()).any(|node| model.stream(Source::Node(node)).lead > 0) {
        return Ok(());
    }
    let other = random.cuts(cuts[0], cuts.iter().sum());
    let again = model.gradients::<f64>((&other, x, y), |_| Wanted::ALL, true, 0.0);
    let cut = difference(&found.input, &again.input).max(difference(&found.parameters, &again.parameters));
    if cut <= 1e-12 { Ok(()) } else { Err(format!("the gradient differs by {cut} for {other:?}")) }
}

/// `f32` against `f64`. Where sums cancel, rounding the data and the parameters alone changes the gradient by more.
fn check_single(model: &Model, (cuts, x, y): Data<'_>, found: &Gradients) -> Result<(), String> {
    let single = model.gradients::<f32>((cuts, x, y), |_| Wanted::ALL, true, 0.0);
    let round = |x: &mut f64| *x = f64::from(*x as f32);
    let (mut rounded, mut x, mut y) = (model.clone(), x.to_vec(), y.to_vec());
    rounded.parameters().chain(&mut x).chain(y.iter_mut().flatten()).for_each(round);
    let rounded = rounded.gradients::<f64>((cuts, &x, &y), |_| Wanted::ALL, true, 0.0);
    let from = |other: &Gradients| {
        let [found, other] = [found, other].map(|all| [&all.input[..], &all.parameters].concat());
        difference(&found, &other)
    };
    let (rounding, allowed) = (from(&single), from(&rounded).mul_add(100.0, 1e-4));
    if rounding <= allowed { Ok(()) } else { Err(format!("the gradient in f32 differs by {rounding}")) }
}

#[test]
fn gradients_of_models() {
    let (mut random, mut tested) = (Random::new("gradients_of_models"), BTreeSet::new());
    for trial in 0..cases(250) {
        let mut model = model(&mut random);
        let frames = random.whole(1, 11);
        let first = random.whole(1, frames);
        let cuts = random.cuts(first, frames);
        let x = random.samples(frames * model.input.len());
        let outputs = model.with(|graph| forward_graph(graph, &cuts, &x).outputs).unwrap();
        let y: Vec<Vec<f64>> = outputs.iter().map(|out| random.samples(out.concat().len())).collect();
        let data = (&cuts[..], &x[..], &y[..]);
        let found = model.gradients::<f64>(data, |_| Wanted::ALL, true, 0.0);
        tested.extend(features(&model, &cuts, &found.parameters));
        let result = check_slopes(&mut random, &mut model, data, &found)
            .and_then(|()| check_cuts(&mut random, &model, data, &found))
            .and_then(|()| check_single(&model, data, &found))
            .and_then(|()| check_frozen(&mut random, &model, data, &found));
        assert_eq!(result, Ok(()), "trial {trial}, cuts {cuts:?}, {model:?}");
    }
    for name in [
        "TimePadding",
        "Delay",
        "VariableDelay",
        "Sum",
        "Diff",
        "Finite",
        "Multiply",
        "Concat",
        "weights of Conv3d",
        "bias of Conv3d",
        "weights of Rf",
        "bias of Rf",
        "gains of LowPass",
        "gains of HighPass",
        "scale of HighPass",
        "weights of SmoothConv",
        "gains of SmoothConv",
        "scale of Pointwise",
        "bias of Pointwise",
        "weights of Add",
        "fan-out",
        "a source twice",
        "no reader",
        "further output",
        "lead",
        "state after a warm-up",
        "padding after a warm-up",
        "state after a stride",
    ] {
        assert!(tested.contains(name), "{name} is not tested");
    }
}

/// Some kinds of parameters of some nodes alone: their gradients are the same, and the others are unchanged.
fn check_frozen(random: &mut Random, model: &Model, data: Data<'_>, all: &Gradients) -> Result<(), String> {
    let mut any = |of: usize| random.whole(0, of) == 0;
    let wanted: Vec<Wanted> = model
        .rows
        .iter()
        .map(|_| match any(1) {
            true => Wanted { weights: any(1), bias: any(1), gains: any(1), scale: any(1) },
            false => Wanted::NONE,
        })
        .collect();
    let found = model.gradients::<f64>(data, |node| wanted[node], any(3), 7.0);
    if !found.input.is_empty() && found.input != all.input {
        return Err(format!("wanted {wanted:?}: the gradient of the input is another one"));
    }
    let kinds = model.rows.iter().zip(&wanted).flat_map(|(row, wanted)| {
        let wanted = [wanted.weights, wanted.bias, wanted.gains, wanted.scale];
        row.parameters.iter().zip(wanted).flat_map(|(parameters, wanted)| vec![wanted; parameters.len()])
    });
    for (k, ((found, all), wanted)) in found.parameters.iter().zip(&all.parameters).zip(kinds).enumerate() {
        let expected = if wanted { 7.0 + all } else { 7.0 };
        if (found - expected).abs() > 1e-13 * (7.0 + all.abs()) || !wanted && *found != 7.0 {
            return Err(format!("wanted {wanted:?}: parameter {k} is {found}; expected {expected}"));
        }
    }
    Ok(())
}

const SHAPE: Shape = Shape::new(1, 1, 2);

fn low_pass<'a>(source: Source) -> Node<'a, f64> {
    Node::Filter(source, Stage::LowPass(LowPass::new(SHAPE, Decay::from_gain(0.5).unwrap())))
}

/// What the adjoint of `nodes` needs.
fn needs(
    nodes: &[Node<'_, f64>],
    outputs: &[usize],
    wanted: impl Fn(usize) -> Wanted,
    input: bool,
) -> Result<GraphNeeds, Error> {
    let mut table = vec![NodeAdjoint::EMPTY; nodes.len()];
    let graph = Graph::with_outputs(SHAPE, nodes, outputs)?;
    GraphAdjoint::new(&graph, wanted, input, &mut [], &mut table).map(|adjoint| adjoint.needs())
}

/// A filter without an adjoint is refused where a gradient passes through it, and nowhere else.
#[test]
fn filters_from_outside() {
    let filter = Diff::new(SHAPE);
    let nodes = [
        low_pass(Source::Input),
        Node::Filter(Source::Node(0), Stage::custom(&filter)),
        low_pass(Source::Node(1)),
        low_pass(Source::Node(0)),
    ];
    let of = |from: usize| move |node: usize| if node >= from { Wanted::ALL } else { Wanted::NONE };
    assert!(needs(&nodes[..3], &[], of(1), false).is_ok(), "a filter that no wanted parameter lies upstream of");
    assert!(needs(&nodes, &[], of(0), true).is_ok(), "a filter that the loss does not depend on");
    let refused = Err(Error::NodeAdjoint { node: 1 });
    assert_eq!(needs(&nodes[..3], &[], of(0), false), refused);
    assert_eq!(needs(&nodes[..3], &[], of(3), true), refused);
    assert_eq!(needs(&nodes, &[1], of(0), false), refused, "a further output");
}

/// Nodes that no gradient passes through take no memory.
#[test]
fn frozen_nodes_take_no_memory() {
    let nodes =
        [low_pass(Source::Input), low_pass(Source::Node(0)), low_pass(Source::Node(1)), low_pass(Source::Node(2))];
    let frame = SHAPE.len();
    let of = |wanted: &'static [usize]| {
        needs(&nodes, &[], |node| if wanted.contains(&node) { Wanted::ALL } else { Wanted::NONE }, false)
            .map(|GraphNeeds { state, scratch, parameters }| (state, scratch.per_frame, parameters))
    };
    // A low-pass whose input has no gradient needs one nevertheless.
    assert_eq!(of(&[3]), Ok((frame, frame, 4)));
    assert_eq!(of(&[2]), Ok((2 * frame, 2 * frame, 4)));
    assert_eq!(of(&[0]), Ok((4 * frame, 4 * frame, 4)));
    assert_eq!(of(&[]), Ok((0, 0, 4)));
}

/// Lengths that do not fit are refused, and nothing is changed.
#[test]
fn wrong_lengths_of_a_model_are_refused() {
    let nodes = [low_pass(Source::Input), Node::Add([(Source::Node(0), 1.0), (Source::Input, 0.5)])];
    let graph = Graph::with_outputs(SHAPE, &nodes, &[0]).unwrap();
    let table = || vec![NodeAdjoint::EMPTY; 2];
    assert!(GraphAdjoint::new(&graph, |_| Wanted::ALL, true, &mut [], &mut table()[1..]).is_err(), "a short table");
    assert!(GraphAdjoint::new(&graph, |_| Wanted::ALL, true, &mut [0.0], &mut table()).is_err(), "no kernel");
    let mut table = table();
    let adjoint = GraphAdjoint::new(&graph, |_| Wanted::ALL, true, &mut [], &mut table).unwrap();
    let GraphNeeds { state, scratch, parameters } = adjoint.needs();
    // Two frames.
    let right = [4, 4, 2, 4, 4, state, scratch.len(2), 4, parameters];
    let run = |[input, frames, before, grad_out, of_output, state, scratch, grad_in, gradient]: [usize; 9]| {
        let (mut before, mut state) = (vec![0.0; before], vec![0.0; state]);
        let (mut grad_in, mut gradient) = (vec![7.0; grad_in], vec![7.0; gradient]);
        let chunk = GraphChunk {
            t: 0,
            input: &vec![1.0; input],
            frames: &vec![1.0; frames],
            before: &mut before,
            grad_out: &vec![1.0; grad_out],
            grad_outputs: &[&vec![1.0; of_output]],
        };
        let result = adjoint.backward(chunk, &mut state, &mut vec![0.0; scratch], &mut grad_in, &mut gradient);
        let all = [before, state].concat().iter().all(|x| *x == 0.0);
        assert!(result.is_ok() || all && [grad_in, gradient].concat().iter().all(|x| *x == 7.0), "nothing is changed");
        result
    };
    assert_eq!(run(right), Ok(()));
    for k in 0..right.len() {
        let mut wrong = right;
        wrong[k] -= 1;
        assert!(matches!(run(wrong), Err(Error::Length { .. })), "argument {k}");
    }
}
