//! A direct correlation with step 1 and spatial dilation 1. A workgroup computes a tile of the output, a thread four columns
//! of some rows and channels of it.
//!
//! For each frame of each input channel under the kernel, the part of that frame under the tile is loaded into workgroup
//! memory, together with the weights. A thread holds as many rows of its window in registers as it has output rows; each row
//! of the kernel loads one more, which replaces the oldest. So each sample is read once per thread, and each weight once for
//! all its pixels. Neighbouring threads read neighbouring vectors, without bank conflicts; shifts within vectors cost
//! nothing, as everything is unrolled along columns. If the part does not fit, the rows of the kernel are processed in
//! strips.
//!
//! Cost: two operations per tap; a thread of `rows` and `outs` reads one vector of samples for at most `16 rows outs` taps,
//! and one of weights for `16 rows` taps.

use std::fmt::Write as _;

/// The parameters that the program is compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Tile {
    /// Rows and columns of the kernel.
    pub(crate) kernel: [usize; 2],
    /// Threads along output channels, rows and columns.
    pub(crate) threads: [usize; 3],
    /// Output channels per thread.
    pub(crate) outs: usize,
    /// Rows per thread.
    pub(crate) rows: usize,
    /// Rows of the kernel per strip.
    pub(crate) strip: usize,
    /// Whether the border is zero.
    pub(crate) zeros: bool,
    /// Whether rows of the output are whole vectors.
    pub(crate) whole: bool,
    /// Whether workgroup memory holds vectors whose components are written by different threads; otherwise it holds numbers,
    /// for devices that write whole vectors.
    pub(crate) parts: bool,
}

/// Taps of a row that are unrolled; longer rows are processed in groups of this many.
const UNROLLED: usize = 16;
/// Weights per thread whose addresses are kept in registers.
const HOISTED: usize = 4;
/// The components of a vector.
const PARTS: [&str; 4] = ["x", "y", "z", "w"];

/// The concatenation of `text` for 0, 1, ….
fn each(count: usize, mut text: impl FnMut(usize) -> String) -> String {
    (0..count).fold(String::new(), |all, k| all + &text(k))
}

impl Tile {
    /// Threads per workgroup.
    pub(crate) fn invocations(&self) -> usize {
        self.threads.iter().product()
    }

    /// Rows and columns of the output per workgroup.
    pub(crate) fn size(&self) -> [usize; 2] {
        [self.threads[1] * self.rows, 4 * self.threads[2]]
    }

    /// Output channels per workgroup.
    pub(crate) fn channels(&self) -> usize {
        self.threads[0] * self.outs
    }

    /// The type of `vectors` vectors in workgroup memory, vector `at` of `array`, and its component `part`.
    fn array(&self, vectors: usize) -> String {
        if self.parts { format!("array<vec4<f32>, {vectors}>") } else { format!("array<f32, {}>", 4 * vectors) }
    }

    fn vector(&self, array: &str, at: &str) -> String {
        if self.parts {
            return format!("{array}[{at}]");
        }
        let part = |k| format!("{array}[4u * ({at}) + {k}u]");
        format!("vec4({}, {}, {}, {})", part(0), part(1), part(2), part(3))
    }

    fn part(&self, array: &str, at: &str, part: &str) -> String {
        if self.parts { format!("{array}[{at}][{part}]") } else { format!("{array}[4u * ({at}) + {part}]") }
    }

    /// Bytes of workgroup memory.
    pub(crate) fn memory(&self) -> usize {
        16 * (self.halo()[0] * self.line() + self.strip * self.threads[0] * self.taps()) + 4 * self.places()
    }

    /// Rows and columns of the input under the tile.
    fn halo(&self) -> [usize; 2] {
        let [rows, cols] = self.size();
        [rows + self.strip - 1, cols + self.kernel[1] - 1]
    }

    /// Rows under the tile and the whole kernel.
    fn places(&self) -> usize {
        self.size()[0] + self.kernel[0] - 1
    }

    /// Vectors per row in workgroup memory: the last thread reads whole ones.
    fn line(&self) -> usize {
        self.threads[2] + (self.kernel[1] + 3).div_ceil(4) - 1
    }

    /// Vectors per row of the kernel, for all channels of a thread.
    fn taps(&self) -> usize {
        (self.outs * self.kernel[1]).div_ceil(4)
    }

    /// Threads per row while the tile is filled: the number with the least idle threads.
    fn side(&self) -> usize {
        let fits = |side: &usize| self.invocations().is_multiple_of(*side);
        [32, 16, 64].into_iter().filter(fits).min_by_key(|side| self.filled(*side)).unwrap_or(self.invocations())
    }

    /// Samples that a thread loads into the tile, with `side` threads per row.
    fn filled(&self, side: usize) -> usize {
        let [rows, cols] = self.halo();
        cols.div_ceil(side) * rows.div_ceil(self.invocations() / side)
    }

    /// The program.
    pub(crate) fn wgsl(&self) -> String {
        let Self { kernel: [kh, kw], threads: [deep, down, across], outs, rows, strip, whole, .. } = *self;
        let ([tile_rows, tile_cols], [halo_rows, halo_cols]) = (self.size(), self.halo());
        let (invocations, line, taps, side) = (self.invocations(), self.line(), self.taps(), self.side());
        let sample = if whole { "vec4<f32>" } else { "f32" };
        let columns = each(halo_cols.div_ceil(side), |k| {
            format!("    let c{k} = border(left + {}, i32(p.cols), p.border);\n", k * side)
        });
        let sums = each(outs * rows, |k| format!("    var y{}_{} = vec4<f32>();\n", k / rows, k % rows));
        let (from_chunk, from_past) = (self.fill("x", "in_chunk", "p.cols"), self.fill("past", "in_past", "p.p_row"));
        let (hoisted, weigh) = self.weigh();
        let (add, store) = (self.add(), self.store());
        let (strips, lines) = if strip < kh {
            let strips = format!("for (var above = 0u; above < {kh}u; above += {strip}u)");
            (strips, format!("min({strip}u, {kh}u - above)"))
        } else {
            ("const above = 0u;".into(), format!("{kh}u"))
        };
        format!(
            "
@group(0) @binding(5) var<storage, read_write> y: array<{sample}>;
var<workgroup> tile: {tile_type};
var<workgroup> kernel: {kernel_type};
// The rows of the frame that stand for those under the tile.
var<workgroup> places: array<i32, {places}>;

@compute @workgroup_size({invocations})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) local: u32) {{
    var n = group(id);
    if (n >= p.groups) {{
        return;
    }}
    let first_col = (n % p.tiles_x) * {tile_cols}u;
    n /= p.tiles_x;
    let first_row = (n % p.tiles_y) * {tile_rows}u;
    n /= p.tiles_y;
    let block = (n % p.blocks) * {channels}u;
    n /= p.blocks;
    let part = n % p.parts;
    n /= p.parts;
    let s = n / p.count;
    let j = n % p.count;
    // This thread's vector, first row, and place while the tile is filled.
    let tx = local % {across}u;
    let ty = local / {across}u % {down}u * {rows}u;
    let tz = local / {flat}u;
    let first_out = block + tz * {outs}u;
    let lx = local % {side}u;
    let ly = local / {side}u;
    let left = i32(first_col + lx) - p.left;
{columns}{sums}    let begin = i32(p.first + p.every * j) - i32(p.dil_t * (p.kt - 1u));
    for (var r = local; r < {places}u; r += {invocations}u) {{
        places[r] = border(i32(first_row + r) - p.top, i32(p.rows), p.border);
    }}
{hoisted}    let frames = p.ins * p.kt;
    // Input channel and frame of the kernel.
    var i = 0u;
    var a = 0u;
    for (var q = 0u; q < frames; q++) {{
        let f = begin + i32(p.dil_t * a);
        let channel = part * p.ins + i;
        {strips} {{
            let lines = {lines};
            workgroupBarrier();
            let to = lx / 4u;
            if (f >= 0) {{
{from_chunk}            }} else {{
{from_past}            }}
            let from_kernel = (q * {kh}u + above) * {kw}u;
{weigh}            workgroupBarrier();
            let from_row = ty * {line}u + tx;
            let from_tap = tz * {taps}u;
{add}        }}
        a++;
        if (a == p.kt) {{
            a = 0u;
            i++;
        }}
    }}
    let row = first_row + ty;
    let col = first_col + 4u * tx;
{store}}}
",
            tile_type = self.array(halo_rows * line),
            kernel_type = self.array(strip * deep * taps),
            places = self.places(),
            channels = self.channels(),
            flat = down * across,
        )
    }

    /// Code that loads the tile of a frame from `source` into workgroup memory.
    fn fill(&self, source: &str, place: &str, stride: &str) -> String {
        let ([tile_rows, _], [_, halo_cols]) = (self.size(), self.halo());
        let (line, side) = (self.line(), self.side());
        let mut text = format!(
            "                let from_plane = {place}(s, f, channel);
                for (var r = ly; r < lines + {}u; r += {}u) {{
                    let row = places[above + r];
                    let at = i32(from_plane) + row * i32({stride});
",
            tile_rows - 1,
            self.invocations() / side
        );
        let turns = halo_cols.div_ceil(side);
        text += &each(turns, |k| {
            let sample = if self.zeros {
                format!("select(0.0, {source}[max(at + c{k}, 0)], (row | c{k}) >= 0)")
            } else {
                format!("{source}[at + c{k}]")
            };
            format!("                    let x{k} = {sample};\n")
        });
        text += &each(turns, |k| {
            let at = format!("to + r * {line}u + {}u", k * side / 4);
            let store = format!("{} = x{k};", self.part("tile", &at, "lx % 4u"));
            if (k + 1) * side > halo_cols {
                format!("                    if (lx < {}u) {{ {store} }}\n", halo_cols - k * side)
            } else {
                format!("                    {store}\n")
            }
        });
        text + "                }\n"
    }

    /// Code that finds a thread's weights, and code that loads them into workgroup memory. The addresses of few weights are
    /// computed only once.
    fn weigh(&self) -> (String, String) {
        let Self { kernel: [kh, kw], threads: [deep, ..], outs, strip, .. } = *self;
        let (row, taps, invocations) = (outs * kw, self.taps(), self.invocations());
        let count = deep * row * strip;
        // Number n is weight w of row b of the channels of thread row z.
        let find = |k: &str| {
            format!(
                "let b{k} = n{k} / {all}u;
let z{k} = n{k} / {row}u % {deep}u;
let w{k} = n{k} % {row}u;
let own{k} = part * p.outs + min(block + z{k} * {outs}u + w{k} / {kw}u, p.outs - 1u);
let begin{k} = own{k} * (p.ins * p.kt * {area}u) + b{k} * {kw}u + w{k} % {kw}u;
let to{k} = (b{k} * {deep}u + z{k}) * {taps}u + w{k} / 4u;
",
                all = deep * row,
                area = kh * kw
            )
        };
        let bring = |k: &str| {
            let to = self.part("kernel", &format!("to{k}"), &format!("w{k} % 4u"));
            let copy = format!("{to} = weights[from_kernel + begin{k}];");
            format!("if (n{k} < {count}u && b{k} < lines) {{ {copy} }}\n")
        };
        let turns = count.div_ceil(invocations);
        if turns <= HOISTED {
            let hoisted =
                each(turns, |k| format!("let n{k} = local + {}u;\n{}", k * invocations, find(&k.to_string())));
            return (hoisted, each(turns, |k| bring(&k.to_string())));
        }
        let turn = format!("for (var n = local; n < {count}u; n += {invocations}u) {{\n{}{}}}\n", find(""), bring(""));
        (String::new(), turn)
    }

    /// Code that adds the taps of the rows in workgroup memory.
    fn add(&self) -> String {
        let kw = self.kernel[1];
        if kw <= UNROLLED {
            return self.add_columns(kw, "0u");
        }
        let full = kw / UNROLLED * UNROLLED;
        let blocks = self.add_columns(UNROLLED, "e");
        let rest = if kw > full { self.add_columns(kw - full, &format!("{}u", full / 4)) } else { String::new() };
        format!("for (var e = 0u; e < {}u; e += {}u) {{\n{blocks}}}\n{rest}", full / 4, UNROLLED / 4)
    }

    /// Code that adds `count` columns of the kernel, starting at vector `from`. As many rows of the window as a thread has
    /// outputs are in registers; each row of the kernel loads one more, which replaces the oldest.
    fn add_columns(&self, count: usize, from: &str) -> String {
        let Self { kernel: [kh, _], rows, strip, .. } = *self;
        let (needed, line) = ((count + 3).div_ceil(4), self.line());
        let load = |slot: usize, row: &str| {
            let vectors = each(needed, |k| format!("x{slot}_{k} = {};\n", self.vector("tile", &format!("at + {k}u"))));
            format!("at = from_row + ({row}) * {line}u + {from};\n{vectors}")
        };
        let step = |u: usize| {
            let row = load((u + rows - 1) % rows, &format!("b + {}u", u + rows - 1));
            format!("{{\n{row}{}}}\n", self.add_row(count, from, u))
        };
        let variables = each(rows * needed, |n| format!("var x{}_{}: vec4<f32>;\n", n / needed, n % needed));
        let tail = if strip < kh {
            each(rows - 1, |u| format!("if (b + {u}u < lines) {}", step(u)))
        } else {
            each(kh % rows, step)
        };
        format!(
            "{{
{variables}var at: u32;
{}var b = 0u;
for (; b + {rows}u <= lines; b += {rows}u) {{
{}}}
{tail}}}
",
            each(rows - 1, |row| load(row, &format!("{row}u"))),
            each(rows, step)
        )
    }

    /// Code that adds `count` taps of row `b + u` of the kernel to all rows of the thread.
    fn add_row(&self, count: usize, from: &str, u: usize) -> String {
        let Self { kernel: [_, kw], threads: [deep, ..], outs, rows, .. } = *self;
        let mut text = format!("let w = from_tap + (b + {u}u) * {}u + {from};\n", deep * self.taps());
        // The weights of all channels are contiguous; each vector of them is read once.
        let mut known = usize::MAX;
        for (o, e) in (0..outs).flat_map(|o| (0..count).map(move |e| (o, e))) {
            let (weight, part) = ((o * kw + e) / 4, PARTS[(o * kw + e) % 4]);
            if weight != known {
                let vector = self.vector("kernel", &format!("w + {weight}u"));
                let _ = writeln!(text, "let w{weight} = {vector};");
                known = weight;
            }
            for r in 0..rows {
                let (sum, slot) = (format!("y{o}_{r}"), (u + r) % rows);
                let (this, next) = (format!("x{slot}_{}", e / 4), format!("x{slot}_{}", e / 4 + 1));
                // Four columns, starting at tap e.
                let x = match e % 4 {
                    0 => this,
                    1 => format!("vec4({this}.yzw, {next}.x)"),
                    2 => format!("vec4({this}.zw, {next}.xy)"),
                    _ => format!("vec4({this}.w, {next}.xyz)"),
                };
                let _ = writeln!(text, "{sum} = fma(vec4(w{weight}.{part}), {x}, {sum});");
            }
        }
        text
    }

    /// Code that writes the sums of a thread.
    fn store(&self) -> String {
        let Self { outs, rows, whole, .. } = *self;
        let mut text = String::new();
        for o in 0..outs {
            let _ = writeln!(
                text,
                "    if (first_out + {o}u < p.outs) {{
        let o = part * p.outs + first_out + {o}u;
        let b = bias_of(o);
        let plane = ((s * p.count + j) * (p.parts * p.outs) + o) * p.out_rows;"
            );
            for r in 0..rows {
                let sum = format!("y{o}_{r}");
                let write = if whole {
                    format!("            if (col < p.out_cols) {{ y[at / 4u] = {sum} + b; }}\n")
                } else {
                    each(4, |k| {
                        let part = PARTS[k];
                        format!("            if (col + {k}u < p.out_cols) {{ y[at + {k}u] = {sum}.{part} + b; }}\n")
                    })
                };
                let _ = writeln!(
                    text,
                    "        if (row + {r}u < p.out_rows) {{
            let at = (plane + row + {r}u) * p.out_cols + col;
{write}        }}"
                );
            }
            text += "    }\n";
        }
        text
    }
}
