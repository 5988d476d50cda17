//! A program as SPIR-V in which every floating-point operation is computed as written.
//!
//! A Vulkan compiler may round `a * b + c` once or twice, and may simplify `(a + b) - a` to `b`. It may do so in one place
//! of a program and not in another: a frame in an unrolled loop would have different bits than one in the remainder loop. An
//! operation whose result is decorated `NoContraction` is neither combined with another one nor reassociated, and an `fma`
//! is one operation whose result is the same everywhere (SPIR-V specification, Decoration; GLSL.std.450, Fma). WGSL cannot
//! express that, so the decorations are added to the output of `naga`. The treatment of subnormal numbers is up to the
//! device.

use naga::back::spv;
use naga::front::wgsl;
use naga::proc::{BoundsCheckPolicies, BoundsCheckPolicy};
use naga::valid::{Capabilities, ValidationFlags, Validator};

/// Words before the first instruction.
const HEADER: usize = 5;

/// Instructions, with their numbers in the specification.
mod op {
    pub(super) const EXT_INST: u32 = 12;
    pub(super) const DECORATE: u32 = 71;
    pub(super) const MEMBER_DECORATE: u32 = 72;
    pub(super) const F_NEGATE: u32 = 127;
    pub(super) const F_ADD: u32 = 129;
    pub(super) const F_SUB: u32 = 131;
    pub(super) const F_MUL: u32 = 133;
    pub(super) const F_DIV: u32 = 136;
    pub(super) const F_REM: u32 = 140;
    pub(super) const F_MOD: u32 = 141;
    pub(super) const VECTOR_TIMES_SCALAR: u32 = 142;
    pub(super) const DOT: u32 = 148;
}
/// The decoration.
const NO_CONTRACTION: u32 = 42;
/// The multiply-add in the extended instruction set.
const FMA: u32 = 50;

/// The program in `source`, which is WGSL with an entry point `main`.
///
/// # Errors
/// An error in the source.
pub(super) fn compile(source: &str) -> Result<Vec<u32>, String> {
    let module = wgsl::parse_str(source).map_err(|error| error.emit_to_string(source))?;
    let info = Validator::new(ValidationFlags::all(), Capabilities::empty())
        .validate(&module)
        .map_err(|error| error.emit_to_string(source))?;
    // Without the checks of `wgpu`: see the call that creates the program.
    let unchecked = BoundsCheckPolicy::Unchecked;
    let options = spv::Options {
        // All devices support this version.
        lang_version: (1, 0),
        flags: spv::WriterFlags::empty(),
        // No map of bindings: they have the numbers of the source.
        fake_missing_bindings: true,
        bounds_check_policies: BoundsCheckPolicies {
            index: unchecked,
            buffer: unchecked,
            image_load: unchecked,
            binding_array: unchecked,
        },
        zero_initialize_workgroup_memory: spv::ZeroInitializeWorkgroupMemoryMode::None,
        force_loop_bounding: false,
        emit_int_div_checks: false,
        ..spv::Options::default()
    };
    let entry = spv::PipelineOptions { shader_stage: naga::ShaderStage::Compute, entry_point: "main".into() };
    let words = spv::write_vec(&module, &info, &options, Some(&entry)).map_err(|error| error.to_string())?;
    Ok(decorated(&words))
}

/// `module` with [`NO_CONTRACTION`] on every floating-point operation.
fn decorated(module: &[u32]) -> Vec<u32> {
    let new = instructions(module).filter_map(|(_, instruction)| operation(instruction));
    let new: Vec<u32> = new.flat_map(|result| [3 << 16 | op::DECORATE, result, NO_CONTRACTION]).collect();
    // Every program has decorations: those of its bindings.
    let is_decoration = |instruction: &[u32]| matches!(opcode(instruction), op::DECORATE | op::MEMBER_DECORATE);
    let first = instructions(module).find(|(_, instruction)| is_decoration(instruction));
    let at = first.map_or(module.len(), |(at, _)| at);
    [&module[..at], &new, &module[at..]].concat()
}

/// The instructions of a module and their offsets.
fn instructions(module: &[u32]) -> impl Iterator<Item = (usize, &[u32])> {
    let mut at = HEADER;
    std::iter::from_fn(move || {
        let len = (*module.get(at)? >> 16) as usize;
        let instruction = module.get(at..at + len.max(1))?;
        let from = at;
        at += instruction.len();
        Some((from, instruction))
    })
}

fn opcode(instruction: &[u32]) -> u32 {
    instruction[0] & 0xffff
}

/// The result of a floating-point operation; none for another instruction.
fn operation(instruction: &[u32]) -> Option<u32> {
    use op::{DOT, F_ADD, F_DIV, F_MOD, F_MUL, F_NEGATE, F_REM, F_SUB, VECTOR_TIMES_SCALAR};
    let is_operation = match opcode(instruction) {
        F_NEGATE | F_ADD | F_SUB | F_MUL | F_DIV | F_REM | F_MOD | VECTOR_TIMES_SCALAR | DOT => true,
        op::EXT_INST => instruction.get(4) == Some(&FMA),
        _ => false,
    };
    is_operation.then(|| instruction.get(2).copied()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::kernels::every;
    use std::collections::HashSet;

    /// Instructions whose result is not computed from other numbers: loads, constants, composites, and conversions from
    /// integers.
    const NOT_COMPUTED: [u32; 22] = [
        1, // OpUndef
        43, 44, 46, // OpConstant, OpConstantComposite, OpConstantNull
        54, 55, 57, // OpFunction, OpFunctionParameter, OpFunctionCall
        61, // OpLoad
        77, 78, 79, 80, 81, 82, 83, // of vectors and their parts
        111, 112, // OpConvertSToF, OpConvertUToF
        124, // OpBitcast
        169, // OpSelect
        245, // OpPhi
        59, 65, // OpVariable, OpAccessChain
    ];

    /// The absolute value in the extended instruction set: it only clears the sign.
    const F_ABS: u32 = 4;

    /// The results of all instructions that yield a float or a float vector, without those of [`NOT_COMPUTED`] and [`F_ABS`].
    fn computed(module: &[u32]) -> HashSet<u32> {
        let mut floats = HashSet::new();
        let mut found = HashSet::new();
        for (_, instruction) in instructions(module) {
            match (opcode(instruction), instruction) {
                // OpTypeFloat, and OpTypeVector of floats.
                (22, [_, id, ..]) => _ = floats.insert(*id),
                (23, [_, id, of, _]) if floats.contains(of) => _ = floats.insert(*id),
                (op::EXT_INST, [_, _, _, _, F_ABS, ..]) => {}
                (_, [_, of, id, ..]) if floats.contains(of) && !NOT_COMPUTED.contains(&opcode(instruction)) => {
                    _ = found.insert(*id);
                }
                _ => {}
            }
        }
        found
    }

    fn decorations(module: &[u32]) -> HashSet<u32> {
        let decorations = instructions(module).filter_map(|(_, instruction)| match instruction {
            [word, id, NO_CONTRACTION] if word & 0xffff == op::DECORATE => Some(*id),
            _ => None,
        });
        decorations.collect()
    }

    #[test]
    fn every_operation_of_every_kernel_is_as_written() {
        for kernel in every() {
            let module = compile(&crate::device::kernels::program(&kernel)).unwrap_or_else(|error| panic!("{error}"));
            let (computed, decorated) = (computed(&module), decorations(&module));
            // The decoration is also allowed on integers.
            assert!(computed.is_subset(&decorated), "{kernel:?}: {:?}", computed.difference(&decorated));
        }
    }

    #[test]
    fn operations_are_found() {
        let source = "
@group(0) @binding(0) var<storage, read_write> y: array<vec4<f32>>;
@compute @workgroup_size(1)
fn main() {
    let x = y[0];
    y[1] = fma(x, x, x) + x - x * x;
    y[2] = -x.x * x;
    y[3] = vec4(dot(x, x) / x.y, x.y % x.z, 0.0, 0.0);
}
";
        let module = compile(source).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((computed(&module).len(), decorations(&module).len()), (9, 9));
        assert!(compile("fn main() { let x = 1.0 + true; }").is_err_and(|error| error.contains("true")));
    }
}
