//! Compression of pages. Sizes are checked before anything is allocated.

use std::io::{Read, Write};

use super::error::{Outcome, Problem};

/// A codec by its number in the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codec {
    Plain,
    Snappy,
    Gzip,
    Brotli,
    /// LZ4 in Hadoop's frames, or one of the two ways in which writers got that wrong.
    Lz4Hadoop,
    Zstd,
    Lz4Raw,
}

impl Codec {
    pub(crate) fn from_number(number: i32) -> Option<Self> {
        Some(match number {
            0 => Self::Plain,
            1 => Self::Snappy,
            2 => Self::Gzip,
            4 => Self::Brotli,
            5 => Self::Lz4Hadoop,
            6 => Self::Zstd,
            7 => Self::Lz4Raw,
            _ => return None,
        })
    }

    /// Decompresses to exactly `length` bytes.
    pub(crate) fn decompress(self, input: &[u8], length: usize) -> Outcome<Vec<u8>> {
        let failed = || Problem::unreadable("a page cannot be decompressed");
        if length == 0 && self != Self::Plain {
            // Some writers compress nothing to nothing.
            return Ok(Vec::new());
        }
        let output = match self {
            Self::Plain => Some(input.to_vec()),
            Self::Snappy => {
                if snap::raw::decompress_len(input).ok() != Some(length) {
                    return Err(failed());
                }
                let mut output = vec![0; length];
                let written = snap::raw::Decoder::new().decompress(input, &mut output).ok();
                (written == Some(length)).then_some(output)
            }
            Self::Gzip => limited(flate2::read::MultiGzDecoder::new(input), length),
            Self::Brotli => limited(brotli::Decompressor::new(input, 4096), length),
            Self::Zstd => zstd::bulk::decompress(input, length).ok(),
            Self::Lz4Raw => lz4_flex::block::decompress(input, length).ok(),
            Self::Lz4Hadoop => lz4_hadoop(input, length)
                .or_else(|| limited(lz4_flex::frame::FrameDecoder::new(input), length))
                .or_else(|| lz4_flex::block::decompress(input, length).ok()),
        };
        output.filter(|output| output.len() == length).ok_or_else(failed)
    }

    /// Compresses.
    pub(crate) fn compress(self, input: &[u8]) -> Outcome<Vec<u8>> {
        let output = match self {
            Self::Plain => Some(input.to_vec()),
            Self::Snappy => snap::raw::Encoder::new().compress_vec(input).ok(),
            Self::Gzip => {
                let mut writer =
                    flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
                writer.write_all(input).ok().and_then(|()| writer.finish().ok())
            }
            Self::Brotli => {
                let mut writer = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 22);
                writer
                    .write_all(input)
                    .and_then(|()| writer.flush())
                    .ok()
                    .map(|()| writer.into_inner())
            }
            Self::Zstd => zstd::bulk::compress(input, 3).ok(),
            Self::Lz4Raw => Some(lz4_flex::block::compress(input)),
            Self::Lz4Hadoop => {
                let block = lz4_flex::block::compress(input);
                let sizes = (u32::try_from(input.len()).ok(), u32::try_from(block.len()).ok());
                if let (Some(plain), Some(packed)) = sizes {
                    let mut output = Vec::with_capacity(block.len() + 8);
                    output.extend_from_slice(&plain.to_be_bytes());
                    output.extend_from_slice(&packed.to_be_bytes());
                    output.extend_from_slice(&block);
                    Some(output)
                } else {
                    None
                }
            }
        };
        output.ok_or_else(|| Problem::refused("a page cannot be compressed"))
    }
}

/// Reads at most one byte more than `length`.
fn limited(reader: impl Read, length: usize) -> Option<Vec<u8>> {
    let mut output = Vec::with_capacity(length);
    reader.take(length as u64 + 1).read_to_end(&mut output).ok()?;
    Some(output)
}

/// Frames of two big-endian sizes (decompressed, compressed) and a block each.
fn lz4_hadoop(mut input: &[u8], length: usize) -> Option<Vec<u8>> {
    let mut output = Vec::with_capacity(length);
    while !input.is_empty() {
        let (plain, rest) = input.split_first_chunk::<4>()?;
        let (packed, rest) = rest.split_first_chunk::<4>()?;
        let plain = usize::try_from(u32::from_be_bytes(*plain)).ok()?;
        let packed = usize::try_from(u32::from_be_bytes(*packed)).ok()?;
        if plain > length - output.len() || packed > rest.len() {
            return None;
        }
        let (block, rest) = rest.split_at(packed);
        let block = lz4_flex::block::decompress(block, plain).ok()?;
        if block.len() != plain {
            return None;
        }
        output.extend_from_slice(&block);
        input = rest;
    }
    Some(output)
}
