#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{Read, Write};

use super::*;

/// A key pair of the age crate itself.
#[derive(Clone)]
struct Key(age::x25519::Identity);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key")
    }
}

impl Opener for Key {
    fn open(&self, sealed: &[u8]) -> Result<Sensitive<Vec<u8>>, Unopened> {
        let decryptor = age::Decryptor::new_buffered(sealed).map_err(|_| Unopened::Damaged)?;
        let mut reader = match decryptor.decrypt(std::iter::once(&self.0 as _)) {
            Ok(reader) => reader,
            Err(age::DecryptError::NoMatchingKeys) => return Err(Unopened::NotOurs),
            Err(_) => return Err(Unopened::Damaged),
        };
        let mut plain = Vec::new();
        reader.read_to_end(&mut plain).map_err(|_| Unopened::Damaged)?;
        Ok(Sensitive::new(plain))
    }
}

impl Key {
    fn new() -> Self {
        Self(age::x25519::Identity::generate())
    }

    fn encrypt(&self, plain: &[u8]) -> String {
        let recipient = self.0.to_public();
        let encryptor =
            age::Encryptor::with_recipients(std::iter::once(&recipient as &dyn age::Recipient));
        let mut file = Vec::new();
        let mut writer = encryptor.unwrap().wrap_output(&mut file).unwrap();
        writer.write_all(plain).unwrap();
        writer.finish().unwrap();
        scalar(&file)
    }
}

fn crm() -> NamespaceName {
    NamespaceName::new("CRM-ID").unwrap()
}

fn sealed(key: &Key, value: &str) -> String {
    let value = Sensitive::new(value.to_owned());
    let plain = document(&crm(), &Name::new("acme").unwrap(), &value).unwrap();
    key.encrypt(plain.expose())
}

fn open(key: &Key, text: &str) -> Result<String, Refused> {
    let sealed = Sealed::read(text).unwrap();
    sealed.open(key, &crm(), "acme").map(Sensitive::into_inner)
}

#[test]
fn opens_for_its_namespace_and_request_only() {
    let key = Key::new();
    let text = sealed(&key, "ACME \"1\" é\n");
    assert!(is_sealed(&text) && !text.contains('\n'));
    assert_eq!(open(&key, &text).unwrap(), "ACME \"1\" é\n");
    let read = Sealed::read(&text).unwrap();
    assert_eq!((read.recipients(), format!("{read:?}").as_str()), (1, "Sealed to 1 recipients"));
    let other = NamespaceName::new("email address").unwrap();
    assert_eq!(read.open(&key, &other, "acme"), Err(Refused::Namespace));
    assert_eq!(read.open(&key, &crm(), "acme-2"), Err(Refused::Request));
    assert_eq!(read.open(&Key::new(), &crm(), "acme"), Err(Refused::NotOurs));
    let same_in_another_case = NamespaceName::new("crm-id").unwrap();
    assert!(read.open(&key, &same_in_another_case, "acme").is_ok());
}

#[test]
fn lengths_do_not_tell() {
    // Of what is encrypted: the age crate adds a stanza of noise at random.
    let plain = |value: &str| {
        document(&crm(), &Name::new("acme").unwrap(), &Sensitive::new(value.to_owned())).unwrap()
    };
    assert_eq!(plain("a").expose().len(), plain("john@mail.com").expose().len());
}

#[test]
fn every_changed_bit_is_seen() {
    let key = Key::new();
    let text = sealed(&key, "ACME-1");
    let file = STANDARD.decode(text.strip_prefix("sealed:age:").unwrap()).unwrap();
    for bit in 0..file.len() * 8 {
        let mut bad = file.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        let opened = Sealed::read(&scalar(&bad)).map(|read| read.open(&key, &crm(), "acme"));
        assert!(!matches!(opened, Ok(Ok(_))), "bit {bit} does not count");
    }
    for length in 0..file.len() {
        let opened =
            Sealed::read(&scalar(&file[..length])).map(|read| read.open(&key, &crm(), "acme"));
        assert!(!matches!(opened, Ok(Ok(_))), "{length} bytes are enough");
    }
    let longer = [&file[..], b"x"].concat();
    let opened = Sealed::read(&scalar(&longer)).map(|read| read.open(&key, &crm(), "acme"));
    assert!(!matches!(opened, Ok(Ok(_))));
}

#[test]
fn what_is_no_document_of_ours_is_damage() {
    let key = Key::new();
    let with = |plain: &str| open(&key, &key.encrypt(plain.as_bytes()));
    let good = r#"{ "value": "x", "request": "acme", "namespace": "crm-id", "v": 1 }"#;
    assert_eq!(with(good).unwrap(), "x");
    for bad in [
        "",
        "x",
        r#"{"v":1,"namespace":"crm-id","request":"acme"}"#,
        r#"{"v":2,"namespace":"crm-id","request":"acme","value":"x"}"#,
        r#"{"v":1,"namespace":"crm-id","request":"acme","value":7}"#,
        r#"{"v":1,"namespace":"@","request":"acme","value":"x"}"#,
        r#"{"v":1,"namespace":"crm-id","request":"acme","value":"x","more":1}"#,
        r#"{"v":1,"namespace":"crm-id","request":"acme","value":"x","value":"y"}"#,
        r#"{"v":1,"namespace":"crm-id","request":"acme","value":"x"}{}"#,
    ] {
        assert_eq!(with(bad), Err(Refused::Damaged), "{bad}");
    }
}

#[test]
fn forms_that_are_none() {
    let key = Key::new();
    let good = sealed(&key, "x");
    assert!(Sealed::read(&good).is_ok());
    for bad in [
        "sealed:",
        "sealed:age:",
        "sealed:age:!!",
        "sealed:gpg:AAAA",
        "SEALED:age:AAAA",
        "sealed:age:AAAA",
        &good.replace("sealed:age:", "sealed:age: "),
        &format!("{good}="),
        good.trim_end_matches('='),
    ] {
        assert!(is_sealed(bad));
        if *bad != *good {
            assert!(Sealed::read(bad).is_err(), "{bad}");
        }
    }
    for plain in ["seal", "sealant:age", "x sealed:age:", "é"] {
        assert!(!is_sealed(plain), "{plain}");
    }
    let letters = "A".repeat(43);
    let header = format!(
        "age-encryption.org/v1\n-> scrypt {} 10\n{letters}\n--- {letters}\n",
        "A".repeat(22)
    );
    let file = [header.as_bytes(), &[0; 48]].concat();
    assert!(Sealed::read(&scalar(&file)).unwrap_err().contains("no age recipient"));
}

#[test]
fn digests_have_one_form() {
    let hex = "0123456789abcdef".repeat(4);
    assert_eq!(read_digest(&digest_scalar(&hex)), Some(hex.as_str()));
    for bad in
        ["", "hmac-sha256:", &hex, &digest_scalar(&hex[1..]), &digest_scalar(&hex.to_uppercase())]
    {
        assert_eq!(read_digest(bad), None, "{bad}");
    }
}
