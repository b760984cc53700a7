//! Counts the instructions for decoding a body. Unlike the time, this number does not depend on the
//! load of the machine.

use std::{
    env, fs,
    hint::black_box,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    decode::{self, Kind, NOTHING, OURS, RSPOTIFY, Result, SKETCH, SONIC},
    report::{Report, Table},
};

/// Counts the instructions of each decoder for each body with callgrind.
pub(crate) async fn run(recorded: Option<&str>, report: &mut Report) -> Result<()> {
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("Instructions of decoding are not counted: valgrind is not installed.\n");
        return Ok(());
    }
    let readers = [NOTHING, OURS, SKETCH, RSPOTIFY, SONIC];
    let mut table = Table::new(
        "Instructions of decoding",
        &[
            "body",
            NOTHING,
            OURS,
            SKETCH,
            RSPOTIFY,
            SONIC,
            "ours / `IgnoredAny`",
            "ours / sketch",
            "ours / rspotify",
            "ours / sonic_rs::Value",
        ],
    );
    let dir = env::temp_dir().join(format!("spot-bench-{}", std::process::id()));
    fs::create_dir_all(&dir)?;
    for sample in decode::samples(recorded).await? {
        let body = dir.join("body.json");
        fs::write(&body, &sample.body)?;
        let mut counts = Vec::new();
        for reader in readers {
            counts.push(count(sample.kind, reader, &body, &dir)?);
        }
        let ours = counts.get(1).copied().flatten();
        let thousands = |count: &Option<u64>| match count {
            Some(count) => format!("{} k", count / 1000),
            None => "cannot read it".to_owned(),
        };
        let ratio = |other: &Option<u64>| match (ours, other) {
            (Some(ours), Some(other)) => format!("{:.2}", ours as f64 / *other as f64),
            _ => "—".to_owned(),
        };
        let others = counts.iter().enumerate().filter(|(at, _)| *at != 1);
        table.row(
            [sample.name.clone()]
                .into_iter()
                .chain(counts.iter().map(thousands))
                .chain(others.map(|(_, count)| ratio(count))),
        );
    }
    fs::remove_dir_all(&dir)?;
    report.add(table);
    report.note("Counted by callgrind, memory management included.");
    Ok(())
}

/// Number of instructions of one decoder. `None` if it cannot decode the body.
fn count(kind: Kind, reader: &str, body: &Path, dir: &Path) -> Result<Option<u64>> {
    let out: PathBuf = dir.join("callgrind.out");
    let run = Command::new("valgrind")
        .args(["--tool=callgrind", "--collect-atstart=no", "--toggle-collect=*instructions::read*"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(env::current_exe()?)
        .args(["decode-once", kind.name(), reader])
        .arg(body)
        .output()
        .map_err(|error| format!("valgrind: {error}"))?;
    if !run.status.success() {
        return Err(String::from_utf8_lossy(&run.stderr).into_owned().into());
    }
    if String::from_utf8_lossy(&run.stdout).trim() == "false" {
        return Ok(None);
    }
    let counts = fs::read_to_string(&out)?;
    let total = counts.lines().find_map(|line| line.strip_prefix("summary: "));
    Ok(Some(total.ok_or("callgrind counted nothing")?.trim().parse()?))
}

/// `decode-once KIND READER FILE`: decodes a body twice. callgrind counts only the second time.
pub(crate) fn once(mut arguments: impl Iterator<Item = String>) -> Result<()> {
    let mut next = || arguments.next().ok_or("decode-once KIND READER FILE");
    let (kind, name, body) = (Kind::from_name(&next()?)?, next()?, fs::read(next()?)?);
    let readers = decode::readers(kind, &body);
    let reader = readers.into_iter().find(|(own, _)| *own == name);
    let (_, reader) = reader.ok_or_else(|| format!("there is no reader {name:?}"))?;
    println!("{}", reader(&body) && read(&reader, &body));
    Ok(())
}

#[inline(never)]
fn read(reader: &decode::Reads, body: &[u8]) -> bool {
    black_box(reader)(black_box(body))
}
