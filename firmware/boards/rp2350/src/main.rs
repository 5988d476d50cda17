//! foveola on a Pico 2 (RP2350) with a GenX320: the example of how to add a board. **It has never run on silicon.**

#![no_std]
#![no_main]

mod port;

use defmt_rtt as _;
use embassy_executor::Spawner;
use embassy_futures::join::join;
use embassy_rp::clocks::{Gpout, GpoutSrc};
use embassy_rp::gpio::{Level, Output};
use embassy_rp::pio::{self, Pio};
use embassy_rp::uart::{self, BufferedUartTx};
use embassy_rp::watchdog::Watchdog;
use embassy_rp::{bind_interrupts, i2c, peripherals};
use embassy_time::{Delay, Duration};
use foveola_app::{App, Notice, Outbox, send};
use foveola_core::events::LiveEvt2;
use foveola_pipeline::{Application, MemoryOf, Plan};
use foveola_sensor::{Camera, GenX320, PixelClock};
use panic_probe as _;
use port::PioPort;
use static_cell::ConstStaticCell;

bind_interrupts!(struct Irqs {
    I2C1_IRQ => i2c::InterruptHandler<peripherals::I2C1>;
    PIO0_IRQ_0 => pio::InterruptHandler<peripherals::PIO0>;
    UART0_IRQ => uart::BufferedInterruptHandler<peripherals::UART0>;
});

#[allow(unreachable_pub, reason = "the generated source is a module for any program")]
mod retina {
    include!(concat!(env!("OUT_DIR"), "/retina.rs"));
}

struct Retina;

impl Application for Retina {
    type Decoder = LiveEvt2;
    type Sample = f32;
    /// A live sensor tells the time all along; behind a gap of more than 200 frames it was restarted, and its clock with it.
    const PLAN: Plan<'static> = retina::PLAN.largest_step(1_024);
    const RAM: usize = 43 * 1024;
}

static MEMORY: ConstStaticCell<MemoryOf!(Retina)> = ConstStaticCell::new(<MemoryOf!(Retina)>::new());
static OUTPUT: ConstStaticCell<[u8; 1024]> = ConstStaticCell::new([0; 1024]);

struct Dog(Watchdog);

impl foveola_app::Watchdog for Dog {
    fn feed(&mut self) {
        self.0.feed(Duration::from_secs(2));
    }
}

#[embassy_executor::main]
async fn main(_spawner: Spawner) {
    let p = embassy_rp::init(Default::default());
    let mut watchdog = Watchdog::new(p.WATCHDOG);
    watchdog.start(Duration::from_secs(2));

    let clock = Gpout::new(p.PIN_21); // 24 MHz for the sensor
    clock.set_src(GpoutSrc::PllUsb);
    clock.set_div(2, 0);
    clock.enable();

    let bus = i2c::I2c::new_async(p.I2C1, p.PIN_27, p.PIN_26, Irqs, i2c::Config::default()); // SCL, SDA
    let reset = Output::new(p.PIN_22, Level::Low);

    let Pio { mut common, sm0, .. } = Pio::new(p.PIO0, Irqs);
    let pins = [
        common.make_pio_pin(p.PIN_0), // D0 to D7
        common.make_pio_pin(p.PIN_1),
        common.make_pio_pin(p.PIN_2),
        common.make_pio_pin(p.PIN_3),
        common.make_pio_pin(p.PIN_4),
        common.make_pio_pin(p.PIN_5),
        common.make_pio_pin(p.PIN_6),
        common.make_pio_pin(p.PIN_7),
        common.make_pio_pin(p.PIN_8), // PCLK
        common.make_pio_pin(p.PIN_9), // HSYNC
    ];
    let port = PioPort::new(&mut common, sm0, p.DMA_CH0, &pins.each_ref());
    let camera = Camera::new(GenX320::new(bus, reset, PixelClock::Mhz24), port, Delay);

    let mut config = uart::Config::default();
    config.baudrate = 1_000_000;
    let output = BufferedUartTx::new(p.UART0, Irqs, p.PIN_16, OUTPUT.take(), config);

    let outbox = Outbox::new();
    let report = |notice: Notice| defmt::info!("{}", defmt::Display2Format(&notice));
    let app = App::<Retina, _, _, _, _, _, _, _, _>::new(MEMORY.take(), camera, Delay, Dog(watchdog), &outbox, report);
    let Ok(mut app) = app.inspect_err(|damage| defmt::error!("{}", defmt::Display2Format(damage))) else { return };
    join(app.run(), send(&outbox, output)).await;
}
