//! Registers of Prophesee's GenX320 and the values that let it stream EVT 2.0 over its parallel port: the only place with
//! such numbers.
//!
//! There is no public data sheet. Each number below is a fact found in at least one of these public sources:
//!
//! - **M**: the register map with fields and reset values that Prophesee publishes in OpenEB
//!   (`hal_psee_plugins`, `genx320es_registermap.h`);
//! - **S**: the sequence for the parallel port that Prophesee generated and OpenMV ships (`genx320_issd_cpi_evt.c`, with
//!   `psee_genx320.c` for biases and port), which runs on OpenMV's boards with a sensor clock of 24 MHz;
//! - **L**: the register map and the power-up times of Prophesee's Linux driver.
//!
//! | what | confirmed by | |
//! |---|---|---|
//! | address, identity, reset pin low for 200 ns, 15 ms to start | M, S, L | modules with a reset chip take up to 55 ms more |
//! | order and values of [`INIT`], [`start`] | S | meaning of most bits from M |
//! | port: [`PORT`] | S, M | packets of 256 bytes, where S has 320 and 1024: a choice of ours |
//! | clock: [`clock`] for 48 MHz | S | |
//! | clock: [`clock`] for 24 MHz | **nobody** | computed from the fields in M and the clock tree in S |
//! | biases: [`BIASES`] | S | |
//! | levels of HSYNC, VSYNC, the edge of PCLK | **nobody** | S names both "active high" and leaves the clock as it is |
//!
//! None of this has run on silicon here.

/// Seven bits (M, S, L).
pub const I2C_ADDRESS: u8 = 0x3C;
/// Holds the chip's identity.
pub const CHIP_ID: u16 = 0x0014;
/// The identity of engineering samples (M).
pub const CHIP_ID_ES: u32 = 0x3050_1C01;
/// The identity of the product (S, L).
pub const CHIP_ID_MP: u32 = 0xB060_2003;
/// Format of events: 0 is EVT 2.0 (M, S, L).
pub const EDF_CONTROL: u16 = 0x7044;
/// The parallel port.
pub const CPI_PIPELINE_CONTROL: u16 = 0x8000;
/// Clock of time stamps.
pub const TIME_BASE_CONTROL: u16 = 0x9008;
/// Lets events out.
pub const READOUT_LP_CONTROL: u16 = 0x9028;
/// Pixels.
pub const ROI_CONTROL: u16 = 0x0000;

/// Milliseconds that the reset pin is low; 200 ns are asked for (L).
pub const RESET_MS: u32 = 1;
/// Milliseconds from reset to the first answer: 15, and 55 for modules whose reset is delayed (L).
pub const START_MS: u32 = 15 + 55;

/// Something to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Write a value to a register.
    Write(u16, u32),
    /// Write a value to a number of registers that follow each other, 4 apart.
    Fill(u16, u16, u32),
    /// Wait for so many microseconds.
    Wait(u32),
}

use Step::{Fill, Wait, Write};

/// From reset to a sensor that is configured and quiet, but for [`clock`], [`PORT`] and [`BIASES`], which follow.
pub const INIT: &[Step] = &[
    Write(0x0064, 0x03E8_000A), // top_chicken: parallel port instead of MIPI, events instead of histograms
    Write(0x9008, 0x0000_0320), // time_base_ctrl: off
    Write(0x9008, 0x0001_0320), // reset
    Write(0x020C, 0x0000_0015), // rtc_clk_ctrl
    Write(0x0204, 0x0000_4D6C), // sys_clk_ctrl
    Write(0x0210, 0x0000_0C00), // evt_icn_clk_ctrl: readout and event processing
    Write(0x9008, 0x0000_00A0),
    Write(0x00B8, 0x0000_0040), // sram_initn: the port's
    Write(0x00C0, 0x0000_0078), // sram_pd1: the port's is on
    Write(0xE000, 0x0000_0005), // filters of noise and flicker, trails, rate: enabled and passed by
    Write(0xC000, 0x0000_0005),
    Write(0xD000, 0x0000_0005),
    Write(0x6000, 0x0000_0005),
    Write(0x60A0, 0x0000_0000), // erc/delay_fifo_flush_and_bypass
    Write(0x704C, 0x0000_07D0), // edf/output_interface_control
    Write(0x7100, 0x0001_0280), // edf/external_output_adapter
    Write(EDF_CONTROL, 0),      // EVT 2.0, little endian
    Write(0x7048, 0x0000_0000), // edf/event_injection
    Write(0x7000, 0x0000_0001), // edf/pipeline_control: enabled
    Write(0x9008, 0x0000_00A4), // time_base_ctrl: as master
    Write(0x001C, 0x0000_0004), // dig_soft_reset: analog parts out of reset
    Write(0xA000, 0x0000_0406), // ldo/bg: band gap
    Write(0xA01C, 0x0007_641F), // ldo/pmu
    Write(0xB030, 0x0000_0010), // mipi_csi/power: its current is the reference of others
    Write(0x004C, 0x0020_4E22), // adc_control
    Wait(1_000),
    Write(0xA01C, 0x0007_E41F), // ldo/pmu: calibrate
    Wait(1_000),
    Write(0x004C, 0x0020_4E20), // adc_control: clock off
    Write(0x1218, 0x0000_0111), // bias/bgen_cgm_sub
    Wait(1_000),
    Write(0x1220, 0x0000_0001), // bias/bgen_cc_en: high voltage
    Wait(1_000),
    Write(0xA008, 0x0000_8085), // ldo/ldo_lv
    Write(0xA004, 0x0000_8025), // ldo/ldo_hv
    Wait(1_000),
    Write(0x0070, 0x0000_055F), // cp_ctrl: charge pump
    Wait(1_000),
    Write(0x1220, 0x0000_0003), // bias/bgen_cc_en: low voltage too
    Wait(1_000),
    Write(0x1208, 0x0000_0030), // bias/bgen_ctrl: out of reset
    Wait(1_000),
    Write(0x0000, 0x0000_0420), // roi_ctrl: all columns off ...
    Write(0x0000, 0x0000_0400),
    Write(0x0000, 0x0000_0802),
    Write(0x0000, 0x0000_0822),
    Write(0x0000, 0x0000_0802),
    Fill(0x3000, 11, 0),
    Write(0x0000, 0x0000_0822),
    Write(0x0000, 0x0000_0802),
    Fill(0x2000, 10, 0),           // ... then all 320 of them,
    Fill(0x3000, 10, 0xFFFF_FFFF), // and all 320 rows
    Write(0x0000, 0x0000_0822),
    Write(0x0000, 0x0000_0802),
    Wait(1_000),
];

/// The port sends packets of this many bytes, when it has them.
pub const PACKET: u32 = 256;

/// The parallel port: 8 bits wide, packets of a fixed size, frames of 64 packets.
pub const PORT: &[Step] = &[
    Write(0x8008, PACKET),            // packet_size_control
    Write(0x800C, PACKET | 32 << 16), // packet_time_control: 32 clocks between packets
    Write(0x8010, 64),                // frame_size_control, in packets
    Write(0x8014, 8),                 // frame_time_control: 8 clocks between frames
    Write(0x8018, 0b11),              // output_if_control: HSYNC and VSYNC active high
    // readout_ctrl: digital part on; what the port cannot take is dropped in the sensor, in whole events.
    Write(0x9000, 1 << 9 | 1 << 10 | 1 << 12 | 1 << 13),
    // enabled, as a camera's port, packets and frames of a fixed size, clock out.
    Write(CPI_PIPELINE_CONTROL, 1 | 1 << 5 | 1 << 7 | 1 << 9 | 1 << 10),
];

/// The clock tree, from 24 MHz at the sensor's clock pin: the PLL gives 768 MHz (24 MHz times 32), the system and the pixel
/// clock are a 16th of it, or with `half` a 32nd.
pub const fn clock(half: bool) -> [Step; 13] {
    let divider = if half { 1 << 14 } else { 0 };
    let off = time_base(half);
    [
        Write(0x9008, 0x0000_0184),
        Write(0x9008, 0x0001_0184),
        Write(0x0200, 0x0000_0000),           // ref_clk_ctrl: the pin's clock as it is
        Write(0x0214, 0x0000_0440),           // pll_ctrl: times 32
        Write(0x0214, 0x0000_0441),           // on
        Write(0x0204, 0x0000_0634 | divider), // sys_clk_ctrl: a 16th or 32nd
        Write(0x020C, 0x0000_0061),           // rtc_clk_ctrl
        Write(0x0204, 0x0000_0635 | divider),
        Write(0x0204, 0x0000_0637 | divider), // and switch to it
        Write(0x0210, 0x0000_0C00),           // evt_icn_clk_ctrl
        Write(0xB00C, 0x0000_0004),
        Write(TIME_BASE_CONTROL, off),
        Write(0x004C, 0x0020_9600), // adc_control
    ]
}

/// `time_base_ctrl`, off: as master, so many clocks a microsecond.
const fn time_base(half: bool) -> u32 {
    1 << 2 | (if half { 24 } else { 48 }) << 4
}

/// Lets a prepared sensor stream.
pub const fn start(half: bool) -> [Step; 6] {
    [
        Write(READOUT_LP_CONTROL, 0),
        Write(TIME_BASE_CONTROL, time_base(half) | 1),
        Wait(1_000),
        Write(0x002C, 0x0022_C724),      // ro_td_ctrl: arbiters of rows out of reset
        Write(ROI_CONTROL, 0x0000_0C02), // pixels out of reset
        Wait(1_000),
    ]
}

/// A bias: register, what its upper bits hold, the value for engineering samples, that for the product.
#[derive(Clone, Copy, Debug)]
pub struct Bias {
    /// Where.
    pub register: u16,
    /// Enabled, and of which kind.
    pub upper: u32,
    /// For [`CHIP_ID_ES`].
    pub es: u32,
    /// For [`CHIP_ID_MP`].
    pub mp: u32,
}

/// Set while a bias is written, then cleared: takes the value over at once.
pub const BIAS_SINGLE: u32 = 1 << 28;

const fn bias(register: u16, upper: u32, es: u32, mp: u32) -> Bias {
    Bias { register, upper, es, mp }
}

/// The pixels' voltages; for the product those that OpenMV calls its defaults, version 2.
pub const BIASES: [Bias; 12] = [
    bias(0x1000, 0x0301_0000, 61, 61),   // pr: photoreceptor
    bias(0x1004, 0x0301_0000, 19, 34),   // fo: its low-pass
    bias(0x1008, 0x0101_0000, 63, 63),   // fes
    bias(0x1100, 0x0301_0000, 0, 40),    // hpf: high-pass
    bias(0x1104, 0x0101_0000, 40, 25),   // diff_on: threshold of ON
    bias(0x1108, 0x0101_0000, 51, 51),   // diff
    bias(0x110C, 0x0101_0000, 28, 28),   // diff_off: threshold of OFF
    bias(0x1110, 0x0101_0000, 57, 57),   // inv
    bias(0x1114, 0x0301_0000, 82, 10),   // refr: refractory time
    bias(0x1118, 0x0301_0000, 66, 56),   // invp
    bias(0x111C, 0x0301_0000, 116, 116), // req_pu
    bias(0x1120, 0x0101_0000, 164, 164), // sm_pdy
];
