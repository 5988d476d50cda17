//! The program `in_time.wgsl`; its sums are separate variables.

/// Output frames per thread.
pub(crate) const OUTPUTS: usize = 8;

/// The program.
pub(crate) fn wgsl() -> String {
    let each = |line: &dyn Fn(usize) -> String| (0..OUTPUTS).map(line).collect::<Vec<_>>().join("\n");
    include_str!("in_time.wgsl")
        .replace("OUTPUTS", &format!("{OUTPUTS}u"))
        .replace("    SUMS", &each(&|q| format!("    var y{q} = vec4<f32>();")))
        .replace(
            "            ADD",
            &each(&|q| {
                format!(
                    "            if (a - {q}u * m < p.kt) {{
                y{q} = fma(vec4(weights[w + a - {q}u * m]), v, y{q});
            }}"
                )
            }),
        )
        .replace("    STORE", &each(&|q| format!("    store(s, j + {q}u * apart, o, from_pixel, y{q});")))
}
