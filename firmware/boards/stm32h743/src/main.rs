//! foveola on a Nucleo-H743ZI2 with a GenX320: events over the camera port, packets of the strongest locations over the
//! debugger's serial port at 2 Mbaud, reports over RTT. **It has never run on silicon.**

#![no_std]
#![no_main]

use defmt_rtt as _;
use embassy_embedded_hal::adapter::BlockingAsync;
use embassy_executor::Spawner;
use embassy_futures::join::join;
use embassy_stm32::dcmi::{self, Dcmi};
use embassy_stm32::gpio::{Level, Output, Speed};
use embassy_stm32::i2c::{self, I2c};
use embassy_stm32::rcc::{Mco, Mco1Source, McoConfig};
use embassy_stm32::time::Hertz;
use embassy_stm32::usart::{self, BufferedUart};
use embassy_stm32::wdg::IndependentWatchdog;
use embassy_stm32::{bind_interrupts, dma, peripherals};
use embassy_time::{Delay, Duration};
use foveola_app::{App, Notice, Outbox, send};
use foveola_pipeline::MemoryOf;
use foveola_sensor::{Camera, GenX320, PixelClock};
use foveola_stm32h743::port::{CameraPort, request};
use foveola_stm32h743::{Iwdg, Retina, clocks, memory};
use panic_probe as _;
use static_cell::ConstStaticCell;

bind_interrupts!(struct Irqs {
    DCMI => dcmi::InterruptHandler<peripherals::DCMI>;
    DMA1_STREAM0 => dma::InterruptHandler<peripherals::DMA1_CH0>;
    DMA1_STREAM1 => dma::InterruptHandler<peripherals::DMA1_CH1>;
    USART3 => usart::BufferedInterruptHandler<peripherals::USART3>;
});

static MEMORY: ConstStaticCell<MemoryOf!(Retina)> = ConstStaticCell::new(<MemoryOf!(Retina)>::new());
static OUTPUT: ConstStaticCell<[u8; 1024]> = ConstStaticCell::new([0; 1024]);
/// Nobody reads what comes in.
static INPUT: ConstStaticCell<[u8; 16]> = ConstStaticCell::new([0; 16]);

#[embassy_executor::main]
async fn main(_spawner: Spawner) {
    let mut core = defmt::unwrap!(cortex_m::Peripherals::take());
    memory::prepare(&mut core.MPU, &mut core.SCB, &mut core.CPUID);
    let p = embassy_stm32::init(clocks::config());

    let mut watchdog = IndependentWatchdog::new(p.IWDG1, 2_000_000);
    watchdog.unleash();
    let _clock = Mco::new(p.MCO1, p.PA8, Mco1Source::PLL1_Q, McoConfig::default());

    let mut config = i2c::Config::default();
    config.frequency = Hertz::khz(400);
    config.timeout = Duration::from_millis(20);
    let bus = BlockingAsync::new(I2c::new_blocking(p.I2C2, p.PF1, p.PF0, config)); // SCL, SDA
    let reset = Output::new(p.PF3, Level::Low, Speed::Low);

    let request = request(&p.DMA1_CH0);
    let dcmi = Dcmi::new_8bit(
        p.DCMI,
        p.DMA1_CH1, // for frames one by one, which nobody takes
        Irqs,
        p.PC6, // D0 to D7
        p.PC7,
        p.PC8,
        p.PC9,
        p.PE4,
        p.PD3,
        p.PE5,
        p.PE6,
        p.PG9, // VSYNC
        p.PA4, // HSYNC
        p.PA6, // PCLK
        dcmi::Config::default(),
    );
    let port = defmt::unwrap!(CameraPort::new(dcmi, dma::Channel::new(p.DMA1_CH0, Irqs), request));
    let camera = Camera::new(GenX320::new(bus, reset, PixelClock::Mhz48), port, Delay);

    let mut config = usart::Config::default();
    config.baudrate = 2_000_000;
    let (tx, rx) = (OUTPUT.take(), INPUT.take());
    let serial = BufferedUart::new(p.USART3, p.PD9, p.PD8, tx, rx, Irqs, config); // RX, TX
    let (output, _input) = defmt::unwrap!(serial.ok()).split();

    let outbox = Outbox::new();
    let report = |notice: Notice| defmt::info!("{}", defmt::Display2Format(&notice));
    let app = App::<Retina, _, _, _, _, _, _, _, _>::new(MEMORY.take(), camera, Delay, Iwdg(watchdog), &outbox, report);
    let Ok(mut app) = app.inspect_err(|damage| defmt::error!("{}", defmt::Display2Format(damage))) else { return };
    join(app.run(), send(&outbox, output)).await;
}
