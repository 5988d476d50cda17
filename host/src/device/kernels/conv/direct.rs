//! A correlation tap by tap, of step 1 and spatial dilation 1: a workgroup takes a tile of the output, a thread some rows and
//! vectors of four columns of some channels.
//!
//! For each frame of each input channel under the kernel, the tile of that frame and its border go to workgroup memory, and
//! with them the weights. A thread then reads the rows of its window one after another, each once for all its outputs to which
//! it adds. Neighbouring threads read neighbouring vectors, so that no two of them meet in one bank; shifts within vectors
//! cost nothing, as all is unrolled along columns. Where a tile does not fit, the rows of the kernel are taken in strips.
//!
//! Cost: two operations a tap; beside those, a vector read for `4 outs rows` of them.

use std::fmt::Write as _;

/// What the program is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Tile {
    /// Rows and columns of the kernel.
    pub(crate) kernel: [usize; 2],
    /// Threads along rows and along columns.
    pub(crate) threads: [usize; 2],
    /// Output channels of a thread.
    pub(crate) outs: usize,
    /// Rows of a thread.
    pub(crate) rows: usize,
    /// Vectors of four columns of a thread.
    pub(crate) vectors: usize,
    /// Rows of the kernel at a time.
    pub(crate) strip: usize,
    /// Frames of input channels at a time.
    pub(crate) planes: usize,
    /// The border is zero.
    pub(crate) zeros: bool,
    /// Rows of the output are whole vectors.
    pub(crate) whole: bool,
}

/// Taps of a row that are unrolled; of longer rows, so many at a time.
const UNROLLED: usize = 16;
/// The parts of a vector.
const PARTS: [&str; 4] = ["x", "y", "z", "w"];

/// `text` of 0, 1, … one after the other.
fn each(count: usize, mut text: impl FnMut(usize) -> String) -> String {
    (0..count).fold(String::new(), |all, k| all + &text(k))
}

impl Tile {
    /// Threads of a workgroup.
    pub(crate) fn invocations(&self) -> usize {
        self.threads[0] * self.threads[1]
    }

    /// Rows and columns of the output that a workgroup makes.
    pub(crate) fn size(&self) -> [usize; 2] {
        [self.threads[0] * self.rows, 4 * self.threads[1] * self.vectors]
    }

    /// Bytes of workgroup memory.
    pub(crate) fn memory(&self) -> usize {
        16 * self.planes * (self.halo()[0] * self.line() + self.strip * self.taps())
    }

    /// Rows and columns of the input under them.
    fn halo(&self) -> [usize; 2] {
        let [rows, cols] = self.size();
        [rows + self.strip - 1, cols + self.kernel[1] - 1]
    }

    /// Vectors of a row in workgroup memory: the last thread reads whole ones.
    fn line(&self) -> usize {
        self.threads[1] * self.vectors + (self.kernel[1] + 3).div_ceil(4) - 1
    }

    /// Vectors of a row of the kernel of all channels of a thread.
    fn taps(&self) -> usize {
        (self.outs * self.kernel[1]).div_ceil(4)
    }

    /// Threads side by side while the tile is filled: those that idle least.
    fn side(&self) -> usize {
        let fits = |side: &usize| self.invocations().is_multiple_of(*side);
        [32, 16, 64].into_iter().filter(fits).min_by_key(|side| self.filled(*side)).unwrap_or(self.invocations())
    }

    /// Samples that a thread brings to the tile, `side` threads side by side.
    fn filled(&self, side: usize) -> usize {
        let [rows, cols] = self.halo();
        cols.div_ceil(side) * rows.div_ceil(self.invocations() / side)
    }

    /// Samples, and weights, that a thread brings to workgroup memory for each frame and strip.
    pub(crate) fn turns(&self) -> [usize; 2] {
        let weights = self.outs * self.kernel[1] * self.strip;
        [self.filled(self.side()), weights.div_ceil(self.invocations())]
    }

    /// The program.
    pub(crate) fn wgsl(&self) -> String {
        let Self { kernel: [kh, kw], threads: [_, across], outs, rows, vectors, strip, planes, whole, .. } = *self;
        let ([tile_rows, tile_cols], [halo_rows, halo_cols]) = (self.size(), self.halo());
        let (invocations, line, taps, side) = (self.invocations(), self.line(), self.taps(), self.side());
        let (plane, kernel) = (halo_rows * line, strip * taps);
        let sample = if whole { "vec4<f32>" } else { "f32" };
        let columns = each(halo_cols.div_ceil(side), |k| {
            format!("    let c{k} = border(left + {}, i32(p.cols), p.border);\n", k * side)
        });
        let sums = each(outs * rows * vectors, |k| {
            format!("    var y{}_{}_{} = vec4<f32>();\n", k / (rows * vectors), k / vectors % rows, k % vectors)
        });
        let (from_chunk, from_past) = (self.fill("x", "in_chunk", "p.cols"), self.fill("past", "in_past", "p.p_row"));
        let (add, store) = (self.add(), self.store());
        let (strips, lines) = if strip < kh {
            let strips = format!("for (var b0 = 0u; b0 < {kh}u; b0 += {strip}u)");
            (strips, format!("min({strip}u, {kh}u - b0)"))
        } else {
            ("const b0 = 0u;".into(), format!("{kh}u"))
        };
        format!(
            "
@group(0) @binding(5) var<storage, read_write> y: array<{sample}>;
var<workgroup> tile: array<vec4<f32>, {tile_size}>;
var<workgroup> kernel: array<vec4<f32>, {kernel_size}>;

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
    let first_out = (n % p.blocks) * {outs}u;
    n /= p.blocks;
    let part = n % p.parts;
    n /= p.parts;
    let s = n / p.count;
    let j = n % p.count;
    // This thread's vector, first row, and place while the tile is filled.
    let tx = local % {across}u;
    let ty = local / {across}u * {rows}u;
    let lx = local % {side}u;
    let ly = local / {side}u;
    let left = i32(first_col + lx) - p.left;
{columns}{sums}    let begin = i32(p.first + p.every * j) - i32(p.dil_t * (p.kt - 1u));
    let frames = p.ins * p.kt;
    for (var q = 0u; q < frames; q += {planes}u) {{
        let some = min({planes}u, frames - q);
        {strips} {{
            let lines = {lines};
            let top = i32(first_row + b0) - p.top;
            workgroupBarrier();
            for (var k = 0u; k < some; k++) {{
                let i = (q + k) / p.kt;
                let a = (q + k) % p.kt;
                let f = begin + i32(p.dil_t * a);
                let to = k * {plane}u + lx / 4u;
                if (f >= 0) {{
{from_chunk}                }} else {{
{from_past}                }}
                for (var n = local; n < {weights}u; n += {invocations}u) {{
                    // Number w of row b: tap e of channel o.
                    let w = n % {row}u;
                    let b = n / {row}u;
                    let e = w % {kw}u;
                    let own = part * p.outs + min(first_out + w / {kw}u, p.outs - 1u);
                    if (b < lines) {{
                        kernel[k * {kernel}u + b * {taps}u + w / 4u][w % 4u] =
                            weights[((own * frames + q + k) * {kh}u + b0 + b) * {kw}u + e];
                    }}
                }}
            }}
            workgroupBarrier();
            for (var k = 0u; k < some; k++) {{
                let from_row = k * {plane}u + ty * {line}u + tx;
                let from_tap = k * {kernel}u;
{add}            }}
        }}
    }}
    let row = first_row + ty;
    let col = first_col + 4u * tx;
{store}}}
",
            tile_size = planes * plane,
            kernel_size = planes * kernel,
            row = outs * kw,
            weights = outs * strip * kw,
        )
    }

    /// Brings the tile of a frame out of `source` to workgroup memory.
    fn fill(&self, source: &str, place: &str, stride: &str) -> String {
        let ([halo_rows, halo_cols], line, side) = (self.halo(), self.line(), self.side());
        let mut text = format!(
            "                    let from_plane = {place}(s, f, part * p.ins + i);
                    for (var r = ly; r < {halo_rows}u; r += {}u) {{
                        let row = border(top + i32(r), i32(p.rows), p.border);
                        let at = i32(from_plane) + row * i32({stride});
",
            self.invocations() / side
        );
        let turns = halo_cols.div_ceil(side);
        text += &each(turns, |k| {
            let sample = if self.zeros {
                format!("select(0.0, {source}[max(at + c{k}, 0)], (row | c{k}) >= 0)")
            } else {
                format!("{source}[at + c{k}]")
            };
            format!("                        let x{k} = {sample};\n")
        });
        text += &each(turns, |k| {
            let store = format!("tile[to + r * {line}u + {}u][lx % 4u] = x{k};", k * side / 4);
            if (k + 1) * side > halo_cols {
                format!("                        if (lx < {}u) {{ {store} }}\n", halo_cols - k * side)
            } else {
                format!("                        {store}\n")
            }
        });
        text + "                    }\n"
    }

    /// Adds the taps of the rows in workgroup memory.
    fn add(&self) -> String {
        let (kw, line) = (self.kernel[1], self.line());
        let full = kw / UNROLLED * UNROLLED;
        let body = if kw <= UNROLLED {
            self.taps_of_row(kw, "0u")
        } else {
            let mut text = format!("for (var e = 0u; e < {}u; e += {}u) {{\n", full / 4, UNROLLED / 4);
            text += &self.taps_of_row(UNROLLED, "e");
            text += "}\n";
            if kw > full {
                let _ = write!(text, "{{\n{}}}\n", self.taps_of_row(kw - full, &format!("{}u", full / 4)));
            }
            text
        };
        format!(
            "                for (var r = 0u; r < lines + {}u; r++) {{
                    let at = from_row + r * {line}u;
{body}                }}
",
            self.rows - 1
        )
    }

    /// `count` taps of a row of the kernel from vector `from` on, for each row of the thread that row `r` of its window adds to.
    fn taps_of_row(&self, count: usize, from: &str) -> String {
        let Self { threads: [_, across], outs, rows, vectors, .. } = *self;
        let mut text = String::new();
        for v in 0..vectors {
            for k in 0..(count + 3).div_ceil(4) {
                let _ = writeln!(text, "                    let x{v}_{k} = tile[at + {from} + {}u];", v * across + k);
            }
        }
        // Four columns of vector v of the window, from tap e on.
        let shifted = |v: usize, e: usize| {
            let (this, next) = (format!("x{v}_{}", e / 4), format!("x{v}_{}", e / 4 + 1));
            match e % 4 {
                0 => this,
                1 => format!("vec4({this}.yzw, {next}.x)"),
                2 => format!("vec4({this}.zw, {next}.xy)"),
                _ => format!("vec4({this}.w, {next}.xyz)"),
            }
        };
        for r in 0..rows {
            let _ = writeln!(text, "                    if (r - {r}u < lines) {{");
            let _ =
                writeln!(text, "                        let w = from_tap + (r - {r}u) * {}u + {from};", self.taps());
            // Weights of all channels follow each other; each vector of them is read once.
            let mut known = usize::MAX;
            for o in 0..outs {
                for e in 0..count {
                    let (weight, part) = ((o * self.kernel[1] + e) / 4, PARTS[(o * self.kernel[1] + e) % 4]);
                    if weight != known {
                        let _ = writeln!(text, "                        let w{weight} = kernel[w + {weight}u];");
                        known = weight;
                    }
                    for v in 0..vectors {
                        let (sum, x) = (format!("y{o}_{r}_{v}"), shifted(v, e));
                        let _ =
                            writeln!(text, "                        {sum} = fma(vec4(w{weight}.{part}), {x}, {sum});");
                    }
                }
            }
            text += "                    }\n";
        }
        text
    }

    /// Writes the sums of a thread.
    fn store(&self) -> String {
        let Self { threads: [_, across], outs, rows, vectors, whole, .. } = *self;
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
                let _ = writeln!(text, "        if (row + {r}u < p.out_rows) {{");
                let _ = writeln!(text, "            let at = (plane + row + {r}u) * p.out_cols + col;");
                for v in 0..vectors {
                    let (sum, shift) = (format!("y{o}_{r}_{v}"), 4 * v * across);
                    if whole {
                        let _ = writeln!(
                            text,
                            "            if (col + {shift}u < p.out_cols) {{ y[(at + {shift}u) / 4u] = {sum} + b; }}"
                        );
                    } else {
                        for (part, shift) in PARTS.iter().zip(shift..) {
                            let _ = writeln!(
                                text,
                                "            if (col + {shift}u < p.out_cols) {{ y[at + {shift}u] = {sum}.{part} + b; }}"
                            );
                        }
                    }
                }
                text += "        }\n";
            }
            text += "    }\n";
        }
        text
    }
}
