//! Tests the cache: a fresh response is not requested again, and users never receive each other's
//! responses.

use std::time::Duration;

use spot_http::{AccessToken, Cache, ErrorKind, Pipeline, Request};
use spot_model::Operation;

use crate::script::{Script, Turn, status};

fn answer(status: u16, headers: &[(&'static str, &str)], body: &str) -> Turn {
    let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Turn::Answer { status, headers, body: body.to_owned() }
}

fn pipeline(script: &Script, cache: &Cache, token: &str) -> Pipeline {
    Pipeline::builder(AccessToken::new(token).unwrap())
        .transport(script.clone())
        .cache(cache.clone())
        .backoff(Duration::ZERO, Duration::ZERO)
        .build()
        .unwrap()
}

fn album() -> Request {
    Request::new(Operation::GET_ALBUM).path("id", "spotmockAlbum000000001")
}

#[tokio::test]
async fn fresh_responses_are_served_from_the_cache() {
    let script = Script::new([answer(200, &[("cache-control", "public, max-age=60")], "one")]);
    let cache = Cache::new(1 << 20);
    let pipeline = pipeline(&script, &cache, "token");
    let first = pipeline.call(album()).await.unwrap();
    let second = pipeline.call(album()).await.unwrap();
    assert_eq!((first.body(), first.cached(), first.attempts()), (&"one".into(), false, 1));
    assert_eq!((second.body(), second.cached(), second.attempts()), (&"one".into(), true, 0));
    assert_eq!(script.count(), 1);
    // Each URL has its own cache entry.
    pipeline.call(album().query("market", "SE")).await.unwrap();
    assert_eq!(script.count(), 2);
    cache.clear();
    pipeline.call(album()).await.unwrap();
    assert_eq!(script.count(), 3);
}

#[tokio::test]
async fn cached_responses_are_not_shared_between_users() {
    let private = [("cache-control", "private, max-age=3600")];
    let script = Script::new([answer(200, &private, "hers"), answer(200, &private, "his")]);
    let cache = Cache::new(1 << 20);
    let (hers, his) = (pipeline(&script, &cache, "hers"), pipeline(&script, &cache, "his"));
    let get = || Request::new(Operation::GET_MY_PROFILE);
    for _ in 0..3 {
        assert_eq!(hers.call(get()).await.unwrap().into_body(), "hers");
        assert_eq!(his.call(get()).await.unwrap().into_body(), "his");
    }
    assert_eq!(script.count(), 2);
}

#[tokio::test]
async fn stale_responses_are_revalidated_with_the_etag() {
    let tagged = [("cache-control", "private, max-age=0"), ("etag", "\"one\"")];
    let script = Script::new([
        answer(200, &tagged, "one"),
        answer(304, &tagged, ""),
        answer(200, &[("cache-control", "private, max-age=0"), ("etag", "\"two\"")], "two"),
        answer(304, &[("etag", "\"two\"")], ""),
    ]);
    let pipeline = pipeline(&script, &Cache::new(1 << 20), "token");
    let mut answers = Vec::new();
    for _ in 0..4 {
        let answer = pipeline.call(album()).await.unwrap();
        let body = String::from_utf8(answer.body().to_vec()).unwrap();
        answers.push((body, answer.status(), answer.cached()));
    }
    let expected =
        [("one", 200, false), ("one", 200, true), ("two", 200, false), ("two", 200, true)];
    let expected = expected.map(|(body, status, cached)| (body.to_owned(), status, cached));
    assert_eq!(answers, expected);
    let tags: Vec<_> = script
        .requests()
        .iter()
        .map(|request| {
            request.headers().get("if-none-match").map(|tag| tag.to_str().unwrap().to_owned())
        })
        .collect();
    assert_eq!(
        tags,
        [None, Some("\"one\"".into()), Some("\"one\"".into()), Some("\"two\"".into())]
    );
}

#[tokio::test]
async fn uncacheable_responses_are_not_cached() {
    for headers in [
        &[("cache-control", "no-store, max-age=60")][..],
        &[("cache-control", "max-age=0")],
        &[],
        &[("cache-control", "max-age=60"), ("vary", "*")],
    ] {
        let script = Script::new([answer(200, headers, "x")]);
        let pipeline = pipeline(&script, &Cache::new(1 << 20), "token");
        pipeline.call(album()).await.unwrap();
        pipeline.call(album()).await.unwrap();
        assert_eq!(script.count(), 2, "{headers:?}");
    }
}

#[tokio::test]
async fn a_library_write_invalidates_only_cached_library_responses() {
    let kept = answer(200, &[("cache-control", "private, max-age=60")], "[]");
    let script = Script::new([kept]);
    let pipeline = pipeline(&script, &Cache::new(1 << 20), "token");
    let saved = || Request::new(Operation::GET_SAVED_TRACKS);
    for _ in 0..2 {
        pipeline.call(saved()).await.unwrap();
        pipeline.call(album()).await.unwrap();
    }
    assert_eq!(script.count(), 2);
    let save = Request::new(Operation::SAVE_TO_LIBRARY).query("uris", "spotify:track:x");
    pipeline.call_empty(save).await.unwrap();
    pipeline.call(saved()).await.unwrap();
    pipeline.call(album()).await.unwrap();
    assert_eq!(script.count(), 4, "the library is asked for again, the album is not");
}

#[tokio::test(start_paused = true)]
async fn identical_parallel_requests_are_sent_once() {
    let script = Script::new([Turn::Late(Duration::from_secs(1))]);
    let pipeline = pipeline(&script, &Cache::new(1 << 20), "token");
    let calls = (0..20).map(|_| pipeline.call(album()));
    let answers = futures::future::join_all(calls).await;
    assert_eq!(script.count(), 1);
    let shared = answers.iter().filter(|answer| answer.as_ref().unwrap().cached()).count();
    assert_eq!(shared, 19);
    // All parallel calls also get the same error.
    let script = Script::new([Turn::Late(Duration::from_millis(1)), status(404)]);
    let pipeline = self::pipeline(&script, &Cache::new(1 << 20), "token");
    pipeline.call(album()).await.unwrap();
    let calls = (0..20).map(|_| pipeline.call(album()));
    for answer in futures::future::join_all(calls).await {
        let error = answer.unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::NotFound, Some(404)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_first_call_does_not_fail_coalesced_calls() {
    let script = Script::new([Turn::Late(Duration::from_secs(5))]);
    let pipeline = pipeline(&script, &Cache::new(1 << 20), "token");
    let first = tokio::time::timeout(Duration::from_secs(1), pipeline.call(album()));
    let (first, second, third) =
        tokio::join!(first, pipeline.call(album()), pipeline.call(album()));
    first.unwrap_err();
    second.unwrap();
    third.unwrap();
    assert_eq!(script.count(), 2);
}

#[tokio::test]
async fn the_cache_never_exceeds_the_size_limit() {
    let body = "x".repeat(10_000);
    let script = Script::new([answer(200, &[("cache-control", "max-age=600")], &body)]);
    let cache = Cache::new(200_000);
    let pipeline = pipeline(&script, &cache, "CANARY");
    for album in 0..100 {
        let request = Request::new(Operation::GET_ALBUM).path("id", album);
        pipeline.call(request).await.unwrap();
    }
    assert!((100_000..=200_000).contains(&cache.bytes()), "{}", cache.bytes());
    assert!(!format!("{cache:?} {pipeline:?}").contains("CANARY"));
}
