//! Counts the CPU instructions of decoding and of a call. The load of the machine does not change
//! the number of instructions.

use std::{
    env, fs,
    hint::black_box,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    thread,
    time::Duration,
};

use rspotify::{clients::BaseClient as _, model};
use spot_api::Client;
use spot_http::Request;
use spot_mock::{MockSpotify, Mode};
use spot_model::{ArtistId, Operation};

use crate::{
    decode::{self, Kind, NOTHING, OURS, RSPOTIFY, Result, SKETCH, SONIC},
    library,
    report::{Report, Table},
    server::{Answers, Server},
};

/// The number of calls in the short run and in the long run. The result is the difference between
/// the instruction counts of both runs, so it excludes the start-up of the program.
const FEW: u64 = 50;
const MANY: u64 = 550;

/// Id of the artist that the calls read.
const ARTIST: &str = "spotmockArtist00000001";

const BARE: &str = "bare reqwest, without decoding";
const CALLERS: [&str; 4] = [
    BARE,
    "**spot-http**, without decoding",
    "**spot-api**, with decoding of the artist",
    "rspotify, with decoding of the artist",
];

/// Counts instructions with callgrind.
pub(crate) async fn run(recorded: Option<&str>, report: &mut Report) -> Result<()> {
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("Instructions are not counted: valgrind is not installed.\n");
        return Ok(());
    }
    decoders(recorded, report).await?;
    calls(report).await
}

/// Counts the instructions of each decoder for each body.
async fn decoders(recorded: Option<&str>, report: &mut Report) -> Result<()> {
    let readers = [NOTHING, OURS, SKETCH, RSPOTIFY, SONIC];
    let mut table = Table::new(
        "CPU instructions for decoding",
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
    let dir = directory()?;
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
    report.note("Callgrind counted the instructions, including those of memory management.");
    Ok(())
}

/// Counts the instructions of a call for each client.
async fn calls(report: &mut Report) -> Result<()> {
    let mock = MockSpotify::builder().mode(Mode::Extended).start().await?;
    let body = library::get(&mock, &format!("/artists/{ARTIST}")).await?;
    let answers: Answers = Arc::new(move |_| body.clone());
    let server = Server::start(Duration::ZERO, answers)?;
    let mut table = Table::new(
        "CPU instructions for a call",
        &["client", "instructions per call", "instructions / bare reqwest"],
    );
    let dir = directory()?;
    let mut bare = None;
    for client in CALLERS {
        let run = |calls: u64| {
            callgrind(&[], &["call-times", client, &server.url, &calls.to_string()], &dir)
        };
        let (few, many) = (run(FEW)?, run(MANY)?);
        let count = many.0.saturating_sub(few.0) / (MANY - FEW);
        let bare = *bare.get_or_insert(count);
        table.row([
            client.to_owned(),
            format!("{:.1} k", count as f64 / 1000.0),
            format!("{:.2}", count as f64 / bare as f64),
        ]);
    }
    fs::remove_dir_all(&dir)?;
    report.add(table);
    report.note(format!(
        "Callgrind counted the instructions of {} calls with default settings. The calls ran one \
         after another over one HTTP/1.1 connection. The server ran in another process.",
        MANY - FEW
    ));
    Ok(())
}

/// Creates a directory for temporary files.
fn directory() -> Result<PathBuf> {
    let dir = env::temp_dir().join(format!("spot-bench-{}", std::process::id()));
    fs::create_dir_all(&dir)?;
    Ok(dir)
}

/// Counts the instructions of one decoder. Returns `None` if the decoder cannot decode the body.
fn count(kind: Kind, reader: &str, body: &Path, dir: &Path) -> Result<Option<u64>> {
    let body = body.to_str().ok_or("the path of the temporary directory is not UTF-8")?;
    let (count, printed) = callgrind(
        &["--collect-atstart=no", "--toggle-collect=*instructions::read*"],
        &["decode-once", kind.name(), reader, body],
        dir,
    )?;
    Ok(if printed.trim() == "false" { None } else { Some(count) })
}

/// Runs this program with callgrind. Returns the number of instructions and the output of the
/// program.
fn callgrind(options: &[&str], arguments: &[&str], dir: &Path) -> Result<(u64, String)> {
    let out = dir.join("callgrind.out");
    let run = Command::new("valgrind")
        .arg("--tool=callgrind")
        .args(options)
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(env::current_exe()?)
        .args(arguments)
        .output()
        .map_err(|error| format!("valgrind: {error}"))?;
    if !run.status.success() {
        return Err(String::from_utf8_lossy(&run.stderr).into_owned().into());
    }
    let counts = fs::read_to_string(&out)?;
    let total = counts
        .lines()
        .find_map(|line| line.strip_prefix("summary: "))
        .ok_or("the output of callgrind contains no summary")?;
    Ok((total.trim().parse()?, String::from_utf8_lossy(&run.stdout).into_owned()))
}

/// Runs the subcommand `call-times CLIENT URL CALLS`, which sends calls to a server on a
/// single-threaded runtime.
pub(crate) fn call_times(mut arguments: impl Iterator<Item = String>) -> Result<()> {
    let mut next = || arguments.next().ok_or("usage: call-times CLIENT URL CALLS");
    let (client, url, calls) = (next()?, next()?, next()?.parse::<u64>()?);
    let called = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime
            .map_err(|error| error.to_string())?
            .block_on(make_calls(&client, &url, calls))
            .map_err(|error| error.to_string())
    });
    called.join().map_err(|_| "the thread that made the calls panicked")?.map_err(Into::into)
}

async fn make_calls(client: &str, url: &str, calls: u64) -> Result<()> {
    match CALLERS.iter().position(|caller| *caller == client) {
        Some(0) => {
            let timeout = Duration::from_secs(15);
            let client = reqwest::Client::builder().no_proxy().timeout(timeout).build()?;
            let url = format!("{url}/artists/{ARTIST}");
            for _ in 0..calls {
                let request = client.get(&url).bearer_auth("token");
                let request = request.header("accept", "application/json");
                black_box(request.send().await?.error_for_status()?.bytes().await?);
            }
        }
        Some(1) => {
            let client: Client = library::ours(url)?;
            for _ in 0..calls {
                let request = Request::new(Operation::GET_ARTIST).path("id", ARTIST);
                black_box(client.pipeline().call(request).await?);
            }
        }
        Some(2) => {
            let (client, id) = (library::ours(url)?, ARTIST.parse::<ArtistId>()?);
            for _ in 0..calls {
                black_box(client.artist(&id).await?);
            }
        }
        Some(3) => {
            let (client, id) = (library::theirs(url), model::ArtistId::from_id(ARTIST)?);
            for _ in 0..calls {
                black_box(client.artist(id.as_ref()).await?);
            }
        }
        _ => return Err(format!("unknown client {client:?}").into()),
    }
    Ok(())
}

/// Runs the subcommand `decode-once KIND READER FILE`, which decodes a body twice. callgrind counts
/// only the second run.
pub(crate) fn once(mut arguments: impl Iterator<Item = String>) -> Result<()> {
    let mut next = || arguments.next().ok_or("usage: decode-once KIND READER FILE");
    let (kind, name, body) = (Kind::from_name(&next()?)?, next()?, fs::read(next()?)?);
    let readers = decode::readers(kind, &body);
    let reader = readers.into_iter().find(|(own, _)| *own == name);
    let (_, reader) = reader.ok_or_else(|| format!("unknown reader {name:?}"))?;
    println!("{}", reader(&body) && read(&reader, &body));
    Ok(())
}

#[inline(never)]
fn read(reader: &decode::Reads, body: &[u8]) -> bool {
    black_box(reader)(black_box(body))
}
