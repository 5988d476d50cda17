//! The driver of the GenX320 against a simulated one.

use embassy_futures::block_on;
use embedded_hal::i2c::{ErrorKind, ErrorType, NoAcknowledgeSource, Operation};
use embedded_hal_async::i2c::I2c;
use foveola_sensor::registers::{self, CHIP_ID, CHIP_ID_ES, CPI_PIPELINE_CONTROL, EDF_CONTROL, Step};
use foveola_sensor::simulated::{Fault, SimulatedSensor};
use foveola_sensor::{Camera, Chip, EventSource, GenX320, Piece, PixelClock, SensorError};
use std::cell::Cell;

fn camera<'a, 's>(
    sensor: &'a SimulatedSensor<'s>,
) -> Camera<&'a SimulatedSensor<'s>, &'a SimulatedSensor<'s>, &'a SimulatedSensor<'s>, &'a SimulatedSensor<'s>> {
    Camera::new(GenX320::new(sensor, sensor, PixelClock::Mhz48), sensor, sensor)
}

fn bytes(n: usize) -> Vec<u8> {
    (0..n).map(|i| (i * 31 % 251) as u8).collect()
}

/// Reads until `n` bytes came, in whatever pieces.
fn read(camera: &mut impl EventSource, n: usize) -> Result<Vec<u8>, SensorError> {
    let (mut all, mut buffer) = (Vec::new(), [0; 100]);
    while all.len() < n {
        let piece = block_on(camera.read(&mut buffer))?;
        assert!(piece.len > 0 && !piece.follows_loss, "{piece:?}");
        all.extend_from_slice(&buffer[..piece.len]);
    }
    Ok(all)
}

#[test]
fn bytes_come_as_they_are() {
    let recording = bytes(1_000);
    let sensor = SimulatedSensor::new(&recording, &[]);
    let mut camera = camera(&sensor);
    assert_eq!(block_on(camera.start()), Ok(()));
    assert!(sensor.elapsed_ms() >= 15, "the chip needs 15 ms to start, was given {} ms", sensor.elapsed_ms());
    assert_eq!(read(&mut camera, 1_000).as_ref(), Ok(&recording));
    assert_eq!(block_on(camera.read(&mut [0; 8])), Err(SensorError::Stopped { silence_ms: 100 }));
}

/// What the tables write last is what the chip holds.
#[test]
fn registers_hold_what_the_tables_say() {
    let sensor = SimulatedSensor::new(&[], &[]);
    let mut driver = GenX320::new(&sensor, &sensor, PixelClock::Mhz24);
    assert_eq!(block_on(driver.prepare(&mut &sensor)), Ok(Chip::Mp));
    for step in registers::PORT {
        if let Step::Write(register, value) = *step {
            assert_eq!(sensor.register(register), Some(value), "{register:#06x}");
        }
    }
    assert_eq!(sensor.register(EDF_CONTROL), Some(0));
    assert_eq!([0x2000, 0x2024, 0x3000, 0x3024].map(|r| sensor.register(r)), [Some(0), Some(0), Some(!0), Some(!0)]);
    assert_eq!(sensor.register(0x2028), None, "320 columns are 10 words");
    for bias in registers::BIASES {
        assert_eq!(sensor.register(bias.register), Some(bias.upper | bias.mp), "{:#06x}", bias.register);
    }
    // 24 MHz: twice the divider, half as many clocks a microsecond.
    assert_eq!((sensor.register(0x0204), sensor.register(0x9008)), (Some(0x4637), Some(0x0184)));
    assert_eq!(block_on(driver.stream(&mut &sensor)), Ok(()));
    assert_eq!(sensor.register(0x9008), Some(0x0185));
}

/// Counts transfers that write, and those that read.
struct Counting<'a, 's>(&'a SimulatedSensor<'s>, &'a [Cell<usize>; 2]);

impl ErrorType for Counting<'_, '_> {
    type Error = ErrorKind;
}

impl I2c for Counting<'_, '_> {
    async fn transaction(&mut self, address: u8, operations: &mut [Operation<'_>]) -> Result<(), ErrorKind> {
        let [writes, reads] = self.1;
        let count = if operations.len() == 1 { writes } else { reads };
        count.set(count.get() + 1);
        let mut bus = self.0;
        bus.transaction(address, operations).await
    }
}

/// The numbers of the README.
#[test]
fn what_a_start_costs() {
    let (sensor, counts) = (SimulatedSensor::new(&[], &[]), [Cell::new(0), Cell::new(0)]);
    let driver = GenX320::new(Counting(&sensor, &counts), &sensor, PixelClock::Mhz48);
    let mut camera = Camera::new(driver, &sensor, &sensor);
    assert_eq!(block_on(camera.start()), Ok(()));
    assert_eq!((counts.map(Cell::into_inner), sensor.elapsed_ms()), ([122, 3], 82));
}

#[test]
fn engineering_samples_have_biases_of_their_own() {
    let sensor = SimulatedSensor::new(&[], &[Fault::WrongChip(CHIP_ID_ES)]);
    let mut driver = GenX320::new(&sensor, &sensor, PixelClock::Mhz48);
    assert_eq!(block_on(driver.prepare(&mut &sensor)), Ok(Chip::Es));
    assert_eq!(block_on(driver.read(CHIP_ID)), Ok(CHIP_ID_ES));
    assert_eq!(sensor.register(0x1114), Some(0x0301_0000 | 82));
}

#[test]
fn what_is_wrong_is_said_and_a_further_start_recovers() {
    let no_answer =
        SensorError::NoAnswer { register: CHIP_ID, kind: ErrorKind::NoAcknowledge(NoAcknowledgeSource::Address) };
    let cases = [
        (Fault::Absent, no_answer, "0x0014"),
        (
            Fault::WrongChip(0xA030_1002),
            SensorError::WrongChip { found: 0xA030_1002 },
            "0xa0301002, expected 0xb0602003",
        ),
        (
            Fault::Forgets(CPI_PIPELINE_CONTROL),
            SensorError::NotWritten { register: CPI_PIPELINE_CONTROL, found: 0, expected: 0x06A1 },
            "0x8000 is 0x00000000 after 0x000006a1",
        ),
    ];
    for (fault, error, words) in cases {
        let (recording, faults) = (bytes(64), [fault]);
        let sensor = SimulatedSensor::new(&recording, &faults);
        let mut camera = camera(&sensor);
        assert_eq!(block_on(camera.start()), Err(error));
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(block_on(camera.start()), Ok(()), "after {fault:?}");
        assert_eq!(read(&mut camera, 64).as_ref(), Ok(&recording));
    }
}

#[test]
fn a_sensor_that_falls_silent_is_noticed_and_goes_on_with_a_whole_word() {
    let recording = bytes(2_000);
    let sensor = SimulatedSensor::new(&recording, &[Fault::StopsAfter(901)]);
    let mut camera = camera(&sensor);
    assert_eq!(block_on(camera.start()), Ok(()));
    assert_eq!(read(&mut camera, 901).as_deref(), Ok(&recording[..901]));
    let before = sensor.elapsed_ms();
    assert_eq!(block_on(camera.read(&mut [0; 8])), Err(SensorError::Stopped { silence_ms: 100 }));
    assert_eq!(sensor.elapsed_ms() - before, 100);
    assert_eq!(block_on(camera.start()), Ok(()));
    assert_eq!(read(&mut camera, 1_096).as_deref(), Ok(&recording[904..]));
}

#[test]
fn lost_bytes_are_told() {
    let recording = bytes(2_000);
    let sensor = SimulatedSensor::new(&recording, &[Fault::LosesAfter(512, 300)]);
    let mut camera = camera(&sensor);
    assert_eq!(block_on(camera.start()), Ok(()));
    let mut buffer = [0; 256];
    let mut pieces = Vec::new();
    while let Ok(piece) = block_on(camera.read(&mut buffer)) {
        pieces.push((piece, buffer[0]));
    }
    assert_eq!(pieces[1], (Piece { len: 256, follows_loss: false }, recording[256]));
    assert_eq!(pieces[2], (Piece { len: 256, follows_loss: true }, recording[812]));
    assert_eq!(pieces.iter().map(|(piece, _)| piece.len).sum::<usize>(), 1_700);
}

/// Before it was started, and on another address, nobody answers.
#[test]
fn a_chip_in_reset_is_silent() {
    let recording = bytes(8);
    let sensor = SimulatedSensor::new(&recording, &[]);
    let mut camera = camera(&sensor);
    assert!(matches!(block_on(camera.read(&mut [0; 8])), Err(SensorError::Stopped { .. })), "it was not started");
    assert_eq!((sensor.resets(), sensor.left()), (0, 8));
}
