//! Files for attachments, LFS and wikis.

use std::io::Write as _;

use super::words::Dice;

/// A real PNG image: a square of one color with a diagonal of another.
pub(crate) fn png(dice: &mut Dice) -> Vec<u8> {
    const SIDE: u32 = 24;
    let color: [u8; 6] = std::array::from_fn(|_| dice.below(256) as u8);
    let mut pixels = Vec::new();
    for y in 0..SIDE {
        pixels.push(0);
        for x in 0..SIDE {
            pixels.extend_from_slice(if x == y { &color[..3] } else { &color[3..] });
        }
    }
    let mut image = b"\x89PNG\r\n\x1a\n".to_vec();
    let side = SIDE.to_be_bytes();
    chunk(
        &mut image,
        *b"IHDR",
        &[&side[..], &side[..], &[8, 2, 0, 0, 0]].concat(),
    );
    chunk(&mut image, *b"IDAT", &zlib(&pixels));
    chunk(&mut image, *b"IEND", &[]);
    image
}

fn chunk(image: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    let mut crc = flate2::Crc::new();
    crc.update(&kind);
    crc.update(data);
    image.extend_from_slice(&(data.len() as u32).to_be_bytes());
    image.extend_from_slice(&kind);
    image.extend_from_slice(data);
    image.extend_from_slice(&crc.sum().to_be_bytes());
}

#[expect(clippy::expect_used, reason = "memory takes all that is written to it")]
fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

/// A small file with the name of a kind that people attach.
pub(crate) fn small(dice: &mut Dice, number: u32) -> (String, Vec<u8>) {
    match dice.below(5) {
        0 => (format!("screenshot {number}.png"), png(dice)),
        1 => (format!("notes-{number}.txt"), dice.prose(400).into_bytes()),
        2 => (
            format!("журнал {number}.log"),
            dice.prose(1_500).into_bytes(),
        ),
        3 => (
            format!("データ{number}.csv"),
            format!(
                "id;name;値\n{number};{};{}\n",
                dice.word(),
                dice.below(1000)
            )
            .into_bytes(),
        ),
        _ => {
            let length = 200 + dice.below(6_000) as usize;
            (format!("dump-{number}.bin"), dice.bytes(length))
        }
    }
}
