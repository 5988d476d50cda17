//! Predictions beside what was measured in QEMU: `layers/measured.tsv`, `measured.tsv` and `programs/measured.tsv` in
//! `firmware/model`.

use super::cost::{NAMES, Work};
use super::work::of_node;
use crate::ModelFile;
use std::path::PathBuf;
use std::sync::Mutex;

/// The layers that the costs are fitted to.
const FIT: [&str; 5] = ["fit-1", "fit-2", "fit-3", "fit-4", "fit-5"];

fn firmware(path: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware/model")).join(path)
}

/// The cells of a table below its line of names.
fn table(path: &str) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(firmware(path)).expect("a table");
    text.lines().skip(1).map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

fn number(cell: &str) -> f64 {
    cell.parse().expect("a number")
}

/// The guide's page shows this line. `REGENERATE=1 cargo test -p foveola boards` writes it in place of the one with the same `start`.
fn is_shown(start: &str, line: &str) {
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock();
    let path = firmware("../../docs/guide/model-files.md");
    let page = std::fs::read_to_string(&path).expect("a page");
    let shown = page.lines().find(|shown| shown.starts_with(start)).unwrap_or_else(|| panic!("no line '{start}'"));
    if std::env::var_os("REGENERATE").is_some() {
        std::fs::write(&path, page.replacen(shown, line, 1)).expect("a page that can be written");
    } else {
        assert_eq!(shown, line, "REGENERATE=1 cargo test -p foveola boards");
    }
}

/// With a comma before every three digits.
fn grouped(number: f64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| str::from_utf8(group).expect("digits")).collect();
    groups.join(",")
}

/// The nodes of `layers/NAME.toml`: layer, work, measured instructions.
fn layers(name: &str) -> Vec<(String, Work, f64)> {
    let file = ModelFile::read(firmware(&format!("layers/{name}.toml"))).expect("a good file");
    let model = file.model().expect("a good model");
    let measured: Vec<f64> =
        table("layers/measured.tsv").iter().filter(|row| row[0] == name).map(|row| number(&row[2])).collect();
    let network = model.network.reproducible();
    let input = foveola_core::Shape::new(1, 64, 64);
    let (ends, mut table) = (network.ends(input).expect("shapes that fit"), crate::Table::default());
    network
        .compiled(input, &mut table, false, |compiled| {
            let graph = &compiled.graph;
            assert_eq!(graph.nodes().len(), measured.len(), "{name} is to be measured again: firmware/layers.sh");
            let title = |node| network.layer_at(node, &ends);
            let work = |node| of_node(graph, node).unwrap_or_else(|| panic!("{} is not predicted", title(node)));
            // The first one is measured with the checks that begin a frame.
            let nodes = measured.iter().enumerate().skip(1);
            Ok(nodes.map(|(node, measured)| (title(node), work(node), *measured)).collect())
        })
        .expect("a model that compiles")
}

/// Costs of 0 or more with the least squares of relative errors, by coordinate descent.
fn fit(rows: &[(String, Work, f64)]) -> Vec<f64> {
    let count = NAMES.len();
    let scaled = |(_, work, measured): &(String, Work, f64)| -> Vec<f64> {
        work.counts().iter().map(|count| count / measured).collect()
    };
    let rows: Vec<Vec<f64>> = rows.iter().map(scaled).collect();
    let products = |i: usize, j: usize| rows.iter().map(|row| row[i] * row[j]).sum::<f64>();
    let matrix: Vec<Vec<f64>> = (0..count).map(|i| (0..count).map(|j| products(i, j)).collect()).collect();
    let right: Vec<f64> = (0..count).map(|i| rows.iter().map(|row| row[i]).sum()).collect();
    let mut costs = vec![0.0; count];
    for _ in 0..50_000 {
        for i in 0..count {
            if matrix[i][i] > 0.0 {
                let others: f64 = (0..count).filter(|j| *j != i).map(|j| matrix[i][j] * costs[j]).sum();
                costs[i] = ((right[i] - others) / matrix[i][i]).max(0.0);
            }
        }
    }
    costs
}

/// 20 % for a layer alone: a model has several, whose errors are not all alike.
#[test]
fn instructions_of_layers_are_predicted() {
    let fitted: Vec<_> = FIT.iter().flat_map(|name| layers(name)).collect();
    for (kind, name) in NAMES.iter().enumerate().skip(2) {
        assert!(fitted.iter().any(|(_, work, _)| work.counts()[kind] > 0.0), "no measured layer has {name}");
    }
    if std::env::var_os("FIT").is_some() {
        NAMES.iter().zip(fit(&fitted)).skip(2).for_each(|(name, cost)| println!("    {name} {cost:.2}"));
    }
    let (mut all, mut near) = (0, 0);
    let in_fit = fitted.len();
    for (layer, work, measured) in fitted.into_iter().chain(layers("other")) {
        let off = 100.0 * (work.instructions() / measured - 1.0);
        (all, near) = (all + 1, near + usize::from(off.abs() < 5.0));
        assert!(off.abs() < 20.0, "{layer}: {:.0} predicted, {measured} measured, {off:+.1} %", work.instructions());
    }
    is_shown(
        "by one:",
        &format!(
            "by one: {near} of {all} are predicted to within 5 %, all to within 20 %. Of them {} are not in the fit.",
            all - in_fit
        ),
    );
    assert!(5 * near > 4 * all, "{near} of {all} layers within 5 %");
}

/// The ready files and, with more kinds of filters, those of `programs`. But for those of one convolution, instructions are not
/// fitted to them.
#[test]
fn programs_are_predicted() {
    let binnings = table("digests.tsv");
    let ready = table("measured.tsv");
    assert_eq!(ready.len(), binnings.len(), "MEASURED=write firmware/models.sh");
    let ready = ready.into_iter().map(|row| {
        let folders = ["../../models", ".", "../../docs/guide/your-own-model"];
        let files = folders.map(|folder| firmware(&format!("{folder}/{}.toml", row[0])));
        let path = files.into_iter().find(|path| path.exists()).expect("the file of the row");
        let binning = binnings.iter().find(|binning| binning[0] == row[0]).expect("a row of digests");
        (path, binning[1].parse().expect("a number"), row)
    });
    let others = table("programs/measured.tsv").into_iter();
    let others = others.map(|row| (firmware(&format!("programs/{}.toml", row[0])), 2_u16, row));
    for (path, binning, row) in ready.chain(others) {
        let is_ready = path.parent().is_some_and(|folder| folder.ends_with("models"));
        let file = ModelFile::read(path).expect("a good file");
        let exported = file.to_firmware([64 / usize::from(binning); 2], binning).expect("a good model");
        if file.samples() != crate::Samples::F32 {
            continue; // not predicted
        }
        let program = exported.program.expect("a model in floats");
        let predicted = [
            (exported.tables + program.flash) as f64,
            (exported.ram_in_all() + program.ram) as f64,
            exported.instructions.expect("kinds that are predicted") as f64,
        ];
        if is_ready {
            let [flash, ram, instructions] = predicted.map(grouped);
            let measured: Vec<String> = row[1..].iter().map(|cell| grouped(number(cell))).collect();
            assert_eq!(ram, measured[1], "{}", row[0]);
            let cells = [&row[0], &flash, &measured[0], &ram, &instructions, &measured[2]].map(String::as_str);
            is_shown(&format!("| {} |", row[0]), &format!("| {} |", cells.join(" | ")));
            if row[0] == "retina" {
                is_shown("flash   ", &format!("flash {flash:>14}  bytes, {} of them tables", exported.tables));
                is_shown("a frame ", &format!("a frame {instructions:>12}  instructions; if each takes one cycle"));
            }
        }
        for ((what, predicted), measured) in ["flash", "RAM", "instructions"].iter().zip(predicted).zip(&row[1..]) {
            let off = 100.0 * (predicted / number(measured) - 1.0);
            println!("{:20} {what:12} {predicted:>9} predicted, {measured:>9} measured, {off:+5.1} %", row[0]);
            // A program has less code, and fewer tests for it, than that of the layers which the costs are fitted to.
            assert!(off.abs() < 12.0, "{}: {predicted} {what}, but {measured} were measured", row[0]);
        }
    }
}

/// A filter of another crate and a kernel in time over one pixel have loops that are not counted.
#[test]
fn what_is_not_counted_is_not_predicted() {
    use crate::{Conv1d, Model};
    let exported =
        |side| Model::of(Conv1d::new(1, 1, 4).expect("a kernel")).to_rust(foveola_core::Shape::new(1, side, side));
    assert!(exported(8).expect("a model").instructions.is_some());
    let one = exported(1).expect("a model");
    assert_eq!((one.instructions, one.layers[0].instructions), (None, None));
}
