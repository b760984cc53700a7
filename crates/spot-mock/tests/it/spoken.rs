//! Tests shows, episodes, audiobooks and chapters.

use serde_json::json;

use crate::support::development;

#[tokio::test]
async fn a_show_contains_the_50_newest_episodes() {
    let api = development().await;
    let show = api.mock.world().show.clone();
    let object = api.read(&format!("/shows/{show}")).await;
    assert_eq!(object["total_episodes"], 72);
    assert_eq!(object["episodes"]["items"].as_array().unwrap().len(), 50);
    assert!(object.get("publisher").is_none());
    assert_eq!(object["episodes"]["items"][0]["id"], api.mock.world().episode.as_str());
    let rest = api.read(&format!("/shows/{show}/episodes?offset=50&limit=50")).await;
    assert_eq!(rest["items"].as_array().unwrap().len(), 22);
}

#[tokio::test]
async fn with_an_app_token_shows_and_episodes_need_a_market() {
    let api = development().await;
    let token = api.mock.app_token();
    let api = api.with_token(token);
    let (show, episode) = (api.mock.world().show.clone(), api.mock.world().episode.clone());
    let refused = api.get(&format!("/shows/{show}")).await;
    assert_eq!((refused.status, refused.message().as_str()), (404, "non existing id"));
    assert_eq!(api.get(&format!("/shows/{show}?market=GB")).await.status, 200);
    assert_eq!(api.get(&format!("/episodes/{episode}")).await.status, 404);
    assert_eq!(api.get(&format!("/episodes/{episode}?market=GB")).await.status, 200);
    let found = api.read("/search?q=the&type=show").await;
    assert_eq!(found["shows"]["total"], 0);
}

#[tokio::test]
async fn resume_point_requires_a_scope() {
    let api = development().await;
    let episode = format!("/episodes/{}", api.mock.world().episode);
    assert!(api.read(&episode).await["resume_point"]["resume_position_ms"].is_u64());
    let token = api.mock.user_token(&[]);
    assert!(api.with_token(token).read(&episode).await.get("resume_point").is_none());
}

#[tokio::test]
async fn audiobooks_have_show_uris_and_chapters_episode_uris() {
    let api = development().await;
    let book = api.mock.world().audiobook.clone();
    let object = api.read(&format!("/audiobooks/{book}")).await;
    assert_eq!(object["type"], "audiobook");
    assert_eq!(object["uri"], format!("spotify:show:{book}"));
    assert_eq!(object["chapters"]["total"], 34);
    let chapter = api.read(&format!("/chapters/{}", api.mock.world().chapter)).await;
    assert_eq!(chapter["type"], "chapter");
    assert_eq!(chapter["uri"], format!("spotify:episode:{}", api.mock.world().chapter));
    assert_eq!(chapter["audiobook"]["id"], book.as_str());
    assert_eq!(chapter["release_date"], "0000-01-01");
    assert!(chapter["audiobook"].get("chapters").is_none());

    let token = api.mock.app_token();
    let api = api.with_token(token);
    assert_eq!(api.get(&format!("/audiobooks/{book}?market=JP")).await.status, 404);
}

#[tokio::test]
async fn saved_shows_have_added_at_and_saved_audiobooks_do_not() {
    let api = development().await;
    let books = api.read("/me/audiobooks").await;
    assert_eq!(books["total"], 9);
    assert_eq!(books["items"][0]["type"], "audiobook");
    assert_eq!(books["items"][0].get("added_at"), None);
    let shows = api.read("/me/shows").await;
    assert_eq!(shows["items"][0]["added_at"], json!("2026-11-02T08:00:00Z"));
    assert_eq!(shows["items"][0]["show"]["type"], "show");
    assert_eq!(api.read("/me/episodes").await["items"][0]["episode"]["type"], "episode");
}
