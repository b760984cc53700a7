//! Tests the `spot-mock` program in a separate process.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Output, Stdio},
};

use crate::support::{finish, http};

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spot-mock"));
    command.args(arguments).env_remove("RUST_LOG").stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Returns the names and values that the program prints when it starts.
fn announced(running: &mut Child) -> Vec<(String, String)> {
    let lines = BufReader::new(running.stdout.as_mut().unwrap()).lines();
    let pair = |line: std::io::Result<String>| {
        let line = line.unwrap();
        let (name, value) = line.split_once("  ").unwrap();
        (name.to_owned(), value.trim().to_owned())
    };
    lines.take(7).map(pair).collect()
}

fn value<'a>(announced: &'a [(String, String)], name: &str) -> &'a str {
    &announced.iter().find(|(known, _)| known == name).unwrap().1
}

fn refused(arguments: &[&str]) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = program(arguments).output().unwrap();
    (status.code(), String::from_utf8(stderr).unwrap())
}

#[tokio::test]
async fn the_program_prints_urls_logs_requests_and_stops_on_sigterm() {
    let mut running =
        program(&["--port", "0", "--mode", "extended", "--limit", "1"]).spawn().unwrap();
    let announced = announced(&mut running);
    let me = format!("{}/me", value(&announced, "api"));
    let get = || finish(http().get(&me).bearer_auth(value(&announced, "user token")));
    assert_eq!(get().await.status, 200);
    assert_eq!(get().await.status, 429);
    let page = finish(http().get(value(&announced, "home page"))).await;
    assert!(page.text.contains("extended"), "{}", page.text);

    let id = running.id().to_string();
    if cfg!(unix) {
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        assert!(running.wait().unwrap().success());
    } else {
        running.kill().unwrap();
    }
    let mut log = String::new();
    running.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    let answers: Vec<_> = log.lines().filter_map(|line| line.split_once("GET ")).collect();
    assert!(answers[0].1.starts_with("/v1/me 200 "), "{log}");
    assert!(answers[1].1.starts_with("/v1/me 429 "), "{log}");
    assert!(!log.contains(value(&announced, "user token")));
}

#[tokio::test]
async fn world_from_backup_loads_a_library_backup() {
    let file = std::env::temp_dir().join(format!("spot-mock-backup-{}.jsonl", std::process::id()));
    let line = r#"{"added_at":"2019-03-04T05:06:07Z","track":{"id":"4keel4keel4keel4keel4k","name":"Keel",
        "duration_ms":61000,"artists":[{"name":"Ada"}],"album":{"name":"Boats"}}}"#;
    std::fs::write(&file, line.replace('\n', "")).unwrap();
    let arguments = ["--port", "0", "--world-from-backup", file.to_str().unwrap()];
    let mut running = program(&arguments).spawn().unwrap();
    let announced = announced(&mut running);
    let saved = http().get(format!("{}/me/tracks", value(&announced, "api")));
    let saved = finish(saved.bearer_auth(value(&announced, "user token"))).await.json();
    running.kill().unwrap();
    running.wait().unwrap();
    std::fs::remove_file(&file).unwrap();
    assert_eq!((&saved["total"], &saved["items"][0]["track"]["name"]), (&1.into(), &"Keel".into()));
}

#[test]
fn invalid_arguments_exit_with_an_error_message() {
    let (code, message) = refused(&["--port", "0", "--faults", "2"]);
    assert_eq!(
        (code, message.as_str()),
        (Some(1), "spot-mock: --faults 2: the value must be from 0 to 1\n")
    );
    let (code, message) = refused(&["--port", "0", "--world", "no-such-world.json"]);
    assert_eq!(code, Some(1));
    assert!(message.starts_with("spot-mock: no-such-world.json: "), "{message}");
    let (code, message) = refused(&["--port", "0", "--world-from-backup", "no-such-backup.jsonl"]);
    assert_eq!(code, Some(1));
    assert!(message.starts_with("spot-mock: no-such-backup.jsonl: "), "{message}");
    let (code, _) = refused(&["--port", "0", "--redirect-uri", "http://localhost/back"]);
    assert_eq!(code, Some(1));
}

#[test]
fn help_names_every_flag() {
    let help = String::from_utf8(program(&["--help"]).output().unwrap().stdout).unwrap();
    for flag in ["port", "bind", "mode", "closed-2024", "seed", "world", "limit", "quota", "faults"]
    {
        assert!(help.contains(&format!("--{flag}")), "{flag}");
    }
}

#[test]
fn the_program_prints_json_info_and_the_world_schema() {
    let authority = std::env::temp_dir().join("spot-mock-test-authority.pem");
    let file = authority.to_str().unwrap();
    let mut running = program(&["--port", "0", "--json", "--quiet", "--tls", "--authority", file])
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(running.stdout.take().unwrap()).read_line(&mut line).unwrap();
    running.kill().unwrap();
    running.wait().unwrap();
    let described: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert!(described["api_url"].as_str().unwrap().starts_with("https://127.0.0.1:"), "{line}");
    assert!(described["control_url"].as_str().unwrap().ends_with("/_mock"), "{line}");
    assert!(described["user_token"].as_str().unwrap().starts_with("BQ"), "{line}");
    assert_eq!(described["authority"], file);
    assert!(
        std::fs::read_to_string(&authority).unwrap().starts_with("-----BEGIN CERTIFICATE-----")
    );
    std::fs::remove_file(&authority).unwrap();

    let schema = String::from_utf8(program(&["schema"]).output().unwrap().stdout).unwrap();
    let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
    assert_eq!(schema["title"], "World");
}

#[tokio::test]
async fn an_unregistered_redirect_uri_is_explained_on_stderr() {
    let mut running = program(&["--port", "0", "--redirect-uri", "https://app.example/back"]);
    let mut running = running.spawn().unwrap();
    let announced = announced(&mut running);
    let url = format!(
        "{}/authorize?client_id={}&response_type=code&redirect_uri=https://app.example/bakc",
        value(&announced, "accounts"),
        value(&announced, "client id")
    );
    let refused = finish(http().get(url)).await;
    assert_eq!(
        (refused.status, refused.text.as_str()),
        (400, "INVALID_CLIENT: Invalid redirect URI")
    );
    running.kill().unwrap();
    running.wait().unwrap();
    let mut log = String::new();
    running.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    let line = log.lines().find(|line| line.contains("is not registered")).unwrap();
    for uri in ["https://app.example/bakc", "https://app.example/back", "http://127.0.0.1/callback"]
    {
        assert!(line.contains(uri), "{line}");
    }
}
