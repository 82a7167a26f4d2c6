//! Authenticated encryption out of HMAC-SHA256 alone: a keystream of HMACs of a counter, then a tag over
//! everything (encrypt, then MAC), under two keys derived from the one given. The nonce is random, so that one
//! key may seal the same name again with other content.
//!
//! File: 8 bytes of magic, 16 of nonce, the ciphertext, 32 of tag.

use hmac::Mac;

use super::deployment::{hmac_sha256, mac};
use crate::store::StoreError;
use crate::store::digest::random;
use crate::store::encoding::encode;

const MAGIC: &[u8; 8] = b"AMPSEAL1";

/// Seals `plain` for `name`, which the seal covers too.
pub(super) fn seal(key: &[u8; 32], name: &[u8], plain: &[u8]) -> Result<Vec<u8>, StoreError> {
    let nonce: [u8; 16] = random()?;
    let mut text = plain.to_vec();
    apply_keystream(key, &nonce, &mut text);
    let tag = hmac_sha256(&tag_key(key), &[&covered(name, &nonce, &text)]);
    Ok([MAGIC.as_slice(), &nonce, &text, &tag].concat())
}

/// Opens what [`seal`] made with this key for this name; `None` for anything else.
pub(super) fn open(key: &[u8; 32], name: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let rest = sealed.strip_prefix(MAGIC)?;
    let (nonce, rest) = rest.split_first_chunk::<16>()?;
    let (text, tag) = rest.split_last_chunk::<32>()?;
    mac(&tag_key(key), &[&covered(name, nonce, text)]).verify_slice(tag).ok()?;
    let mut plain = text.to_vec();
    apply_keystream(key, nonce, &mut plain);
    Some(plain)
}

fn tag_key(key: &[u8; 32]) -> [u8; 32] {
    hmac_sha256(key, &[b"amparo/v1/seal/tag"])
}

fn covered(name: &[u8], nonce: &[u8; 16], text: &[u8]) -> Vec<u8> {
    encode(&[MAGIC, name, nonce, text])
}

fn apply_keystream(key: &[u8; 32], nonce: &[u8; 16], text: &mut [u8]) {
    let key = hmac_sha256(key, &[b"amparo/v1/seal/stream"]);
    for (counter, block) in (0_u64..).zip(text.chunks_mut(32)) {
        let stream = hmac_sha256(&key, &[nonce, &counter.to_le_bytes()]);
        block.iter_mut().zip(stream).for_each(|(byte, pad)| *byte ^= pad);
    }
}
