//! SHA-256 checksums, of JSON values independent of their formatting.

use std::fmt::Write;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest, Sha256};

/// The SHA-256 of bytes, hexadecimal.
pub(super) fn sha256(bytes: &[u8]) -> String {
    hexadecimal(Sha256::digest(bytes).as_slice())
}

/// The SHA-256 of concatenated files, hexadecimal; or the file that cannot be read.
pub(super) fn sha256_of_files(paths: &[PathBuf]) -> Result<String, (PathBuf, io::Error)> {
    let mut digest = Sha256::new();
    for path in paths {
        add_file(&mut digest, path).map_err(|error| (path.clone(), error))?;
    }
    Ok(hexadecimal(digest.finalize().as_slice()))
}

fn add_file(digest: &mut Sha256, path: &Path) -> io::Result<()> {
    let mut file = BufReader::new(File::open(path)?);
    loop {
        let chunk = file.fill_buf()?;
        let length = chunk.len();
        if length == 0 {
            return Ok(());
        }
        digest.update(chunk);
        file.consume(length);
    }
}

/// The SHA-256 of the canonical form of a JSON value, hexadecimal.
pub(super) fn sha256_of_json(value: &Value) -> String {
    sha256(canonical(value).as_bytes())
}

/// A JSON value with sorted names and no spaces.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| name.as_str());
            let field =
                |(name, value): (&String, &Value)| format!("{}:{}", Value::from(name.as_str()), canonical(value));
            format!("{{{}}}", fields.into_iter().map(field).collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        plain => plain.to_string(),
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FIPS 180-4, examples.
    #[test]
    fn known_digests_are_computed() {
        assert_eq!(sha256(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn files_are_digested_as_one() {
        let directory = tempfile::tempdir().unwrap();
        let paths = ["a", "b"].map(|name| directory.path().join(name));
        std::fs::write(&paths[0], "a").unwrap();
        std::fs::write(&paths[1], "bc").unwrap();
        assert_eq!(sha256_of_files(&paths).unwrap(), sha256(b"abc"));
        let gone = directory.path().join("gone");
        assert_eq!(sha256_of_files(std::slice::from_ref(&gone)).unwrap_err().0, gone);
    }

    #[test]
    fn spaces_and_the_order_of_names_do_not_change_a_digest() {
        let digest = |text: &str| sha256_of_json(&serde_json::from_str(text).unwrap());
        let one = digest(r#"{"a": [1, 2.5, "x\n"], "b": {"c": null, "d": true}}"#);
        assert_eq!(one, digest("{\"b\":{\"d\":true,\"c\":null},\n\"a\":[1,2.5,\"x\\n\"]}"));
        for other in [
            r#"{"a": [2.5, 1, "x\n"], "b": {"c": null, "d": true}}"#,
            r#"{"a": [1, 2.5, "x"], "b": {"c": null, "d": true}}"#,
            r#"{"a": [1, 2.5, "x\n"], "b": {"c": null}, "d": true}"#,
        ] {
            assert_ne!(one, digest(other), "{other}");
        }
        assert_eq!(canonical(&serde_json::json!({"b": [1], "a": "q\""})), r#"{"a":"q\"","b":[1]}"#);
    }
}
