//! SHA-256 checksums, hexadecimal.

use std::fs::File;
use std::io;
use std::path::PathBuf;

use serde_json::Value;
use sha2::{Digest, Sha256};

pub(super) fn sha256(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

/// Of concatenated files; or the file that cannot be read.
pub(super) fn sha256_of_files(paths: &[PathBuf]) -> Result<String, (PathBuf, io::Error)> {
    let mut digest = Sha256::new();
    for path in paths {
        File::open(path)
            .and_then(|mut file| io::copy(&mut file, &mut digest))
            .map_err(|error| (path.clone(), error))?;
    }
    Ok(format!("{:x}", digest.finalize()))
}

/// Of JSON with sorted names, as `serde_json` keeps them without its feature `preserve_order`, and no spaces.
pub(super) fn sha256_of_json(value: &Value) -> String {
    sha256(value.to_string().as_bytes())
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
        assert_eq!(serde_json::json!({"b": [1], "a": "q\""}).to_string(), r#"{"a":"q\"","b":[1]}"#);
    }
}
