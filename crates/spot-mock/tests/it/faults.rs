//! Tests that each injected fault occurs once and affects the right request.

use std::time::Duration;

use spot_mock::{Corruption, Fault, MockSpotify, RandomFaults};

use crate::support::{Api, development};

#[tokio::test]
async fn a_fault_can_return_any_status_body_and_retry_after() {
    let api = development().await;
    let page = "<html><title>Bad gateway</title></html>";
    api.mock.fail_next(Fault::status(502).body("text/html", page));
    api.mock.fail_next(Fault::quota_exceeded(86_207));
    api.mock.fail_next(Fault::status(429).body("", "").retry_after("in a while"));

    let gateway = api.get("/me").await;
    assert_eq!((gateway.status, gateway.text.as_str()), (502, page));
    assert_eq!(gateway.header("content-type"), Some("text/html"));
    let quota = api.get("/me").await;
    assert_eq!((quota.status, quota.header("retry-after")), (429, Some("86207")));
    assert_eq!(quota.json()["error"]["reason"], "QUOTA_EXCEEDED");
    let vague = api.get("/me").await;
    assert_eq!((vague.text.as_str(), vague.header("retry-after")), ("", Some("in a while")));
    assert_eq!(api.get("/me").await.status, 200);
}

#[tokio::test]
async fn a_fault_for_an_operation_does_not_affect_others() {
    let api = development().await;
    api.mock.fail_next_on("get-users-saved-tracks", Fault::status(503));
    assert_eq!(api.get("/me").await.status, 200);
    assert_eq!(api.get("/me/tracks").await.status, 503);
    assert_eq!(api.get("/me/tracks").await.status, 200);
}

#[tokio::test]
#[should_panic(expected = "get-a-album is not an operation")]
async fn a_fault_for_an_unknown_operation_panics() {
    development().await.mock.fail_next_on("get-a-album", Fault::Reset);
}

#[tokio::test]
async fn lost_answer_executes_the_command_and_reset_does_not() {
    let api = development().await;
    let url = format!("{}/me/player/pause", api.mock.api_url());
    let pause = || {
        let request = api.http.put(&url).bearer_auth(&api.token).header("content-length", "0");
        request.send()
    };
    api.mock.fail_next(Fault::Reset);
    assert!(pause().await.is_err());
    assert_eq!(api.read("/me/player").await["is_playing"], true);
    api.mock.fail_next(Fault::LostAnswer);
    assert!(pause().await.is_err());
    assert_eq!(api.read("/me/player").await["is_playing"], false);
    let statuses: Vec<_> = api.mock.requests().iter().map(|request| request.status).collect();
    assert_eq!(statuses, [0, 200, 0, 200]);
}

#[tokio::test]
async fn a_truncated_body_ends_before_the_content_length() {
    let api = development().await;
    let whole = api.get("/me/tracks?limit=50").await.text;
    api.mock.fail_next(Fault::TruncatedBody);
    let url = format!("{}/me/tracks?limit=50", api.mock.api_url());
    let response = api.http.get(url).bearer_auth(&api.token).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.content_length(), Some(whole.len() as u64));
    assert!(response.bytes().await.is_err());
}

#[tokio::test]
async fn a_delayed_response_is_sent_late_or_at_shutdown() {
    let api = development().await;
    api.mock.fail_next(Fault::Delay(Duration::from_millis(40)));
    let started = std::time::Instant::now();
    assert_eq!(api.get("/me").await.status, 200);
    assert!(started.elapsed() >= Duration::from_millis(40));

    api.mock.fail_next(Fault::Delay(Duration::from_secs(3_600)));
    let url = format!("{}/me", api.mock.api_url());
    let waiting = tokio::spawn(api.http.get(url).bearer_auth(&api.token).send());
    while api.mock.requests().len() < 2 {
        tokio::task::yield_now().await;
    }
    let Api { mock, http, .. } = api;
    mock.shutdown().await;
    assert_eq!(waiting.await.unwrap().unwrap().status(), 200);
    drop(http);
}

#[tokio::test]
async fn dropping_the_mock_closes_the_port() {
    let mock = MockSpotify::start().await.unwrap();
    let host = mock.accounts_url().strip_prefix("http://").unwrap().to_owned();
    assert!(tokio::net::TcpStream::connect(&host).await.is_ok());
    drop(mock);
    for _ in 0..200 {
        if tokio::net::TcpStream::connect(&host).await.is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("still listening");
}

#[tokio::test]
async fn the_latency_setting_delays_responses() {
    let latency = Duration::from_millis(30);
    let api = Api::new(MockSpotify::builder().latency(latency).start().await.unwrap());
    let started = std::time::Instant::now();
    api.get("/me").await;
    assert!(started.elapsed() >= latency);
}

#[tokio::test]
async fn debug_output_of_the_mock_omits_the_client_secret() {
    let mock = MockSpotify::start().await.unwrap();
    let text = format!("{mock:?}");
    assert!(text.contains(mock.api_url()), "{text}");
    assert!(!text.contains(mock.client_secret()), "{text}");
}

#[tokio::test]
async fn the_seed_determines_random_faults() {
    let outcomes = |seed| async move {
        let weather = RandomFaults::new(seed, 0.3)
            .only([Fault::status(503), Fault::status(500)])
            .on("get-track");
        let mock = MockSpotify::builder().random_faults(weather).start().await.unwrap();
        let api = Api::new(mock);
        let mut outcomes = Vec::new();
        for _ in 0..40 {
            let path = format!("/tracks/{}", api.mock.world().track);
            outcomes.push(api.get(&path).await.status);
            assert_eq!(api.get("/me").await.status, 200);
        }
        api.mock.set_random_faults(None);
        outcomes
    };
    let first = outcomes(1).await;
    assert_eq!(first, outcomes(1).await);
    assert_ne!(first, outcomes(2).await);
    let failed = first.iter().filter(|status| **status >= 500).count();
    assert!((5..25).contains(&failed), "{failed}");
}

#[tokio::test]
async fn each_corruption_affects_a_single_response() {
    let api = development().await;
    let usual = api.get("/me/tracks?limit=9").await;
    for corruption in Corruption::ALL {
        api.mock.fail_next(Fault::Corrupted(corruption));
        let odd = api.get("/me/tracks?limit=9").await;
        assert_eq!(odd.status, 200);
        let is_html = odd.header("content-type") == Some("text/html");
        assert_eq!(is_html, corruption == Corruption::WrongContentType);
        assert_eq!(odd.text == usual.text, is_html, "{corruption:?}");
        // Duplicate fields are the only corruption that a JSON parser may reject. If a field is
        // duplicated, most parsers use the last value.
        let page = odd.json();
        match corruption {
            Corruption::FloatsForIntegers => assert!(page["total"].is_f64()),
            Corruption::NullEntries => assert!(page["items"][2].is_null()),
            Corruption::UnknownFields => assert!(page["something_new"].is_object()),
            Corruption::UnknownValues => {
                assert_eq!(page["items"][0]["track"]["album"]["album_type"], "something_new");
                assert_eq!(page["items"][0]["track"]["type"], "track");
            }
            Corruption::MissingFields => assert!(page["items"][0]["track"]["id"].is_string()),
            Corruption::DuplicateFields => assert!(odd.text.matches("\"total\"").count() == 1),
            _ => {}
        }
    }
    assert_eq!(api.get("/me/tracks?limit=9").await.text, usual.text);
}
