//! Folders of files, and their contents.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// All files below a folder by path.
pub(crate) fn files(root: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    let mut open = vec![PathBuf::new()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(root.join(&folder))
            .with_context(|| format!("read {}", folder.display()))?
        {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                open.push(path);
            } else {
                let name = path
                    .to_str()
                    .context("a path that is not UTF-8")?
                    .to_owned();
                files.insert(name, std::fs::read(root.join(path))?);
            }
        }
    }
    Ok(files)
}

/// As an export writes names: what some file systems refuse is percent-encoded.
pub(crate) fn escaped(files: BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Vec<u8>> {
    let escape = |path: String| {
        [('"', "%22"), ('<', "%3C"), ('>', "%3E"), ('\\', "%5C")]
            .iter()
            .fold(path, |path, (char, code)| path.replace(*char, code))
    };
    files
        .into_iter()
        .map(|(path, bytes)| (escape(path), bytes))
        .collect()
}

/// Bytes that do not compress and are the same every time.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    std::iter::repeat_with(&mut next)
        .flatten()
        .take(length)
        .collect()
}

/// Empty, tiny, of many chunks, compressible; names of several scripts and with what is quoted in trees.
pub(crate) fn write_first(root: &Path) -> Result<()> {
    let put = |path: &str, bytes: &[u8]| -> Result<()> {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap_or(root))?;
        Ok(std::fs::write(path, bytes)?)
    };
    put("empty", b"")?;
    put("one", b"1")?;
    put("large.bin", &noise(1, 12 << 20))?;
    put("zeros.bin", &vec![0; 5 << 20])?;
    put("text.txt", "a line of text\n".repeat(50_000).as_bytes())?;
    put(
        "ünïcödé/Иван/佐藤.json",
        "{\"name\":\"佐藤 陽子\"}".as_bytes(),
    )?;
    put("quoted/a \"b\" <c> & \\d", b"quoted")?;
    for number in 0..400_u64 {
        put(
            &format!("items/{:02}/{number}.json", number / 64),
            &noise(number + 2, 300 + number as usize * 11),
        )?;
    }
    Ok(())
}

/// Something is added, changed, moved and removed.
pub(crate) fn change(root: &Path) -> Result<()> {
    let mut large = std::fs::read(root.join("large.bin"))?;
    large.splice(6 << 20..6 << 20, *b"in the middle");
    std::fs::write(root.join("large.bin"), large)?;
    std::fs::write(root.join("items/00/7.json"), b"changed")?;
    std::fs::rename(root.join("text.txt"), root.join("moved.txt"))?;
    std::fs::remove_file(root.join("items/01/70.json"))?;
    Ok(())
}
