//! Compares the requests, the received bytes and the time of this SDK, rspotify and spotipy for
//! large jobs.

use std::{
    error::Error,
    path::PathBuf,
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use futures::TryStreamExt as _;
use rspotify::{
    AuthCodeSpotify,
    clients::{BaseClient as _, OAuthClient as _},
    model,
    prelude::Id as _,
};
use serde::Deserialize;
use spot_api::{
    AccessMode, Client,
    model::{AlbumId, ArtistId},
};
use spot_mock::{MockSpotify, Mode, custom};
use tokio::io::AsyncWriteExt as _;

use crate::{
    effort::Effort,
    library::{ours, theirs},
    pages::LATENCY,
    relay::Relay,
    report::{Report, Table, home},
    server::Server,
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const JOBS: [Job; 4] = [Job::Library, Job::Playlists, Job::Albums, Job::Discography];

/// Id of the artist of the discography.
const ARTIST: &str = "benchArtist00000000000";
/// Number of albums of the artist. `LONG_ALBUM` is the number of tracks of the first album. The
/// list of albums and the list of tracks need more than one page.
const DISCOGRAPHY: usize = 60;
const LONG_ALBUM: usize = 70;
const TRACKS: usize = 12;
/// Number of tracks on each album of other artists.
const OTHER_TRACKS: usize = 22;
const PLAYLIST: usize = 100;
/// Maximum number of albums per request.
const BATCH: usize = 20;

#[derive(Clone, Copy, Debug)]
enum Job {
    Library,
    Playlists,
    Albums,
    Discography,
}

/// The number of saved tracks, playlists and albums.
struct Sizes {
    saved: usize,
    playlists: usize,
    albums: usize,
}

/// The number of tracks or albums that a client read, and the time.
struct Done {
    count: usize,
    seconds: f64,
}

/// The cost of a job, or the reason why the client cannot complete the job.
type Cost = std::result::Result<Figures, String>;

#[derive(Clone, Copy)]
struct Figures {
    requests: usize,
    bytes: usize,
    seconds: f64,
}

pub(crate) async fn run(effort: Effort, report: &mut Report) -> Result<()> {
    let sizes = effort.pick(
        Sizes { saved: 10_000, playlists: 200, albums: 500 },
        Sizes { saved: 1_000, playlists: 20, albums: 60 },
    );
    let python = install_spotipy();
    let title = "Requests, received bytes and time of each job (server delay: 50 ms per request)";
    let head = ["mode", "job", "client", "requests", "KB received", "seconds", "target"];
    let mut table = Table::new(title, &head);
    for (mode, access, name) in [
        (Mode::Extended, AccessMode::Extended, "Extended"),
        (Mode::Development, AccessMode::Development, "Development"),
    ] {
        let mock = MockSpotify::builder().mode(mode).world(world(&sizes)).start().await?;
        let server = Server::start_relay(LATENCY, Arc::new(Relay::new(mock)?))?;
        for job in JOBS {
            // This run is not measured, and fills the cache of the relay.
            with_ours(&server, access, job, &sizes).await?;
            let own = measure(&server, job, &sizes, with_ours(&server, access, job, &sizes)).await;
            let rspotify = with_rspotify(&server, access, job, &sizes);
            let rspotify = measure(&server, job, &sizes, rspotify).await;
            let spotipy = match &python {
                Ok(python) => {
                    let done = with_spotipy(python, &server, access, job, &sizes);
                    measure(&server, job, &sizes, done).await
                }
                Err(error) => Err(error.clone()),
            };
            // The target compares spot-api only with clients that complete the job.
            let own = own?;
            let others: Vec<Figures> =
                [&rspotify, &spotipy].into_iter().flatten().copied().collect();
            let target = own.target(&others);
            for (client, cost, target) in [
                ("**spot-api**", Ok(own), target.as_str()),
                ("rspotify", rspotify, ""),
                ("spotipy", spotipy, ""),
            ] {
                let figures = match cost {
                    Ok(figures) => [
                        figures.requests.to_string(),
                        format!("{:.0}", figures.bytes as f64 / 1000.0),
                        format!("{:.2}", figures.seconds),
                    ],
                    Err(why) => [why, String::new(), String::new()],
                };
                let head = [name.to_owned(), job.title(&sizes), client.to_owned()];
                table.row(head.into_iter().chain(figures).chain([target.to_owned()]));
            }
        }
    }
    report.add(table);
    report.note(format!(
        "Target: no other client makes fewer requests than spot-api. The column `KB received` \
         shows the size of the response bodies, after compression. The server compresses bodies \
         for clients that accept gzip; rspotify does not accept gzip by default. Each client makes \
         the fewest requests that its documented calls allow. The iterators of rspotify and \
         spotipy wait for each response before they send the next request. spot-api runs requests \
         in parallel by itself, in `library().tracks().stream()`, `me().playlists().with_items()`, \
         `albums(ids)` and `artist(id).albums().with_tracks()`. The discography has {DISCOGRAPHY} \
         albums: one has {LONG_ALBUM} tracks, and the others have {TRACKS} tracks each."
    ));
    Ok(())
}

impl Job {
    const fn name(self) -> &'static str {
        match self {
            Self::Library => "library",
            Self::Playlists => "playlists",
            Self::Albums => "albums",
            Self::Discography => "discography",
        }
    }

    fn title(self, sizes: &Sizes) -> String {
        match self {
            Self::Library => format!("{} saved tracks", sizes.saved),
            Self::Playlists => format!("{} playlists of {PLAYLIST} items", sizes.playlists),
            Self::Albums => format!("{} albums by id", sizes.albums),
            Self::Discography => "A discography".to_owned(),
        }
    }

    /// Returns the number of tracks that the job reads. For `Albums`, returns the number of albums.
    fn expected(self, sizes: &Sizes) -> usize {
        match self {
            Self::Library => sizes.saved,
            Self::Playlists => sizes.playlists * PLAYLIST,
            Self::Albums => sizes.albums,
            Self::Discography => LONG_ALBUM + (DISCOGRAPHY - 1) * TRACKS,
        }
    }
}

impl Figures {
    /// Returns "met" or "missed". The target is met if no other client makes fewer requests.
    fn target(&self, others: &[Self]) -> String {
        match others.iter().map(|figures| figures.requests).min() {
            Some(fewest) if fewest < self.requests => "missed".to_owned(),
            Some(_) => "met".to_owned(),
            None => "met: no other client completes the job".to_owned(),
        }
    }
}

/// Runs a job, and checks that the client read all tracks or albums.
async fn measure(
    server: &Server,
    job: Job,
    sizes: &Sizes,
    work: impl Future<Output = Result<Done>>,
) -> Cost {
    server.take_seen();
    server.take_bytes();
    let done = work.await.map_err(|error| format!("fails: {}", first_line(&error.to_string())))?;
    let expected = job.expected(sizes);
    if done.count != expected {
        return Err(format!("reads {} of {expected}", done.count));
    }
    Ok(Figures { requests: server.take_seen(), bytes: server.take_bytes(), seconds: done.seconds })
}

fn first_line(text: &str) -> &str {
    let line = text.lines().next().unwrap_or_default();
    line.split(" at line ").next().unwrap_or(line)
}

/// Measures the time of a job.
async fn timed(work: impl Future<Output = Result<usize>>) -> Result<Done> {
    let start = Instant::now();
    let count = work.await?;
    Ok(Done { count, seconds: start.elapsed().as_secs_f64() })
}

async fn with_ours(server: &Server, access: AccessMode, job: Job, sizes: &Sizes) -> Result<Done> {
    let client: Client = ours(&server.url)?.with_access_mode(access);
    timed(async {
        let mut count = 0;
        match job {
            Job::Library => {
                let mut tracks = client.library().tracks().stream();
                while tracks.try_next().await?.is_some() {
                    count += 1;
                }
            }
            Job::Playlists => {
                let mut playlists = client.me().playlists().with_items();
                while let Some(playlist) = playlists.try_next().await? {
                    count += playlist.items.map_or(0, |page| page.items.len());
                }
            }
            Job::Albums => {
                let ids: Vec<AlbumId> =
                    album_ids(sizes).map(|id| id.parse()).collect::<std::result::Result<_, _>>()?;
                count = client.albums(ids).await?.iter().flatten().count();
            }
            Job::Discography => {
                let artist: ArtistId = ARTIST.parse()?;
                let mut albums = client.artist(artist).albums().with_tracks();
                while let Some(album) = albums.try_next().await? {
                    count += album.tracks.items.len();
                }
            }
        }
        Ok(count)
    })
    .await
}

async fn with_rspotify(
    server: &Server,
    access: AccessMode,
    job: Job,
    sizes: &Sizes,
) -> Result<Done> {
    let extended = access == AccessMode::Extended;
    let mut client = theirs(&server.url);
    if let Job::Discography = job
        && !extended
    {
        // rspotify has one page size for all lists. In Development Mode, a page of an artist's
        // albums has at most 10 entries.
        client.config.pagination_chunks = 10;
    }
    timed(async {
        let mut count = 0;
        match job {
            Job::Library => {
                let mut tracks = client.current_user_saved_tracks(None);
                while tracks.try_next().await?.is_some() {
                    count += 1;
                }
            }
            Job::Playlists => {
                let mut playlists = client.current_user_playlists();
                while let Some(playlist) = playlists.try_next().await? {
                    // A playlist object contains 100 items, and a page of rspotify's stream
                    // contains fewer items.
                    let playlist = client.playlist(playlist.id, None, None).await?;
                    count += playlist.items.items.len();
                }
            }
            Job::Albums => {
                let ids: Vec<String> = album_ids(sizes).collect();
                count = rspotify_albums(&client, &ids, extended).await?.len();
            }
            Job::Discography => {
                let artist = model::ArtistId::from_id(ARTIST)?;
                let albums = client.artist_albums(artist, [], None);
                let albums: Vec<model::SimplifiedAlbum> = albums.try_collect().await?;
                let ids = albums.into_iter().filter_map(|album| album.id);
                let ids: Vec<String> = ids.map(|id| id.id().to_owned()).collect();
                if extended {
                    for album in rspotify_albums(&client, &ids, extended).await? {
                        count += album.tracks.items.len();
                        let (mut offset, mut more) = (50, album.tracks.next.is_some());
                        while more {
                            let id = album.id.as_ref();
                            let page = client.album_track_manual(id, None, Some(50), Some(offset));
                            let page = page.await?;
                            count += page.items.len();
                            offset += 50;
                            more = page.next.is_some();
                        }
                    }
                } else {
                    client.config.pagination_chunks = 50;
                    for id in &ids {
                        let id = model::AlbumId::from_id(id.as_str())?;
                        count += client.album_track(id, None).try_collect::<Vec<_>>().await?.len();
                    }
                }
            }
        }
        Ok(count)
    })
    .await
}

#[expect(
    deprecated,
    reason = "the call works in Extended Quota Mode, and needs the fewest requests"
)]
async fn rspotify_albums(
    client: &AuthCodeSpotify,
    ids: &[String],
    extended: bool,
) -> Result<Vec<model::FullAlbum>> {
    let mut albums = Vec::new();
    for part in ids.chunks(if extended { BATCH } else { 1 }) {
        let ids = part.iter().map(|id| model::AlbumId::from_id(id.as_str()));
        let ids: Vec<_> = ids.collect::<std::result::Result<_, _>>()?;
        if extended {
            albums.extend(client.albums(ids, None).await?);
        } else {
            for id in ids {
                albums.push(client.album(id, None).await?);
            }
        }
    }
    Ok(albums)
}

/// The output of `peers/jobs.py`.
#[derive(Deserialize)]
struct Printed {
    #[serde(default)]
    count: usize,
    #[serde(default)]
    seconds: f64,
    error: Option<String>,
}

async fn with_spotipy(
    python: &PathBuf,
    server: &Server,
    access: AccessMode,
    job: Job,
    sizes: &Sizes,
) -> Result<Done> {
    let mode = if access == AccessMode::Extended { "extended" } else { "development" };
    let mut child = tokio::process::Command::new(python)
        .arg(home().join("peers/jobs.py"))
        .args([server.url.as_str(), job.name(), mode, ARTIST])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let ids: Vec<String> = album_ids(sizes).collect();
    if let Some(mut input) = child.stdin.take() {
        input.write_all(ids.join("\n").as_bytes()).await?;
    }
    let output = tokio::time::timeout(Duration::from_secs(300), child.wait_with_output()).await??;
    let printed: Printed = serde_json::from_slice(&output.stdout)?;
    match printed.error {
        Some(error) => Err(error.into()),
        None => Ok(Done { count: printed.count, seconds: printed.seconds }),
    }
}

/// Installs spotipy below `target`, with the same versions as `cargo xtask peers`. Returns the path
/// of the Python interpreter.
fn install_spotipy() -> std::result::Result<PathBuf, String> {
    let dir = home().join("target/spotipy");
    let python = dir.join("bin/python");
    let succeeds = |command: &mut Command| match command.stdout(Stdio::null()).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) | Err(_) => Err("not installed: python3 or pip failed".to_owned()),
    };
    if !python.is_file() {
        succeeds(Command::new("python3").args(["-m", "venv"]).arg(&dir))?;
    }
    let versions = home().join("../spot-mock/tests/peers/requirements.txt");
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "spotipy", "-c"];
    succeeds(Command::new(&python).args(pip).arg(versions))?;
    Ok(python)
}

/// Returns the ids of all albums. The albums of the discography come first.
fn album_ids(sizes: &Sizes) -> impl Iterator<Item = String> {
    (0..sizes.albums).map(album_id)
}

fn album_id(at: usize) -> String {
    format!("benchAlbum{at:012}")
}

fn track_id(at: usize) -> String {
    format!("benchTrack{at:012}")
}

/// Creates the mock data for all jobs: the discography, albums of other artists, playlists, and
/// saved tracks.
fn world(sizes: &Sizes) -> custom::World {
    let mut world = custom::World::empty();
    let mut tracks = 0;
    let mut albums = 0;
    let mut artists = 0;
    while albums < sizes.albums || tracks < sizes.saved {
        let name = format!("Artist {artists}");
        let id = format!("benchArtist{artists:011}");
        world = world.artist(custom::Artist::new(&name).id(id).genre("attic folk"));
        let own = if artists == 0 { DISCOGRAPHY } else { 11 };
        for _ in 0..own {
            let title = format!("Album {albums}");
            let mut album = custom::Album::new(title, &name).id(album_id(albums));
            let count = match albums {
                0 => LONG_ALBUM,
                at if at < DISCOGRAPHY => TRACKS,
                _ => OTHER_TRACKS,
            };
            for _ in 0..count {
                let track = custom::Track::new(format!("Track {tracks}")).id(track_id(tracks));
                album = album.track(track);
                tracks += 1;
            }
            world = world.album(album);
            albums += 1;
        }
        artists += 1;
    }
    for at in 0..sizes.playlists {
        let mut playlist =
            custom::Playlist::new(format!("Playlist {at}")).id(format!("benchPlaylist{at:09}"));
        for item in 0..PLAYLIST {
            playlist = playlist.item(track_id((at * PLAYLIST + item) % tracks));
        }
        world = world.playlist(playlist);
    }
    world.saved_tracks((0..sizes.saved).map(track_id))
}
