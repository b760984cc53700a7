//! Tests that a glob import of `spot` does not hide the names of other crates.

use http::{Request, StatusCode};
use spot::*;

#[test]
fn a_glob_import_does_not_hide_the_http_crate() {
    let request = Request::get("https://example.org/").body(()).unwrap();
    assert_eq!(request.method(), http::Method::GET);
    assert_eq!(StatusCode::OK, 200);
    // The glob imports these names.
    let token = auth::AccessToken::new("token").unwrap();
    let _: Client = Client::builder(token).market(Market::FROM_TOKEN).build().unwrap();
    let _: fn(net::PipelineBuilder) -> Result<net::Pipeline, Error> = net::PipelineBuilder::build;
}
