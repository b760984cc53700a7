//! Tests TLS with a server whose certificate is signed by a private authority.

use std::{fs, net::TcpListener};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, SanType};
use spot_redis::Redis;

#[tokio::test]
async fn a_certificate_is_trusted_if_the_authority_is_configured() {
    if crate::server().is_none() {
        return;
    }
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let authority_key = KeyPair::generate().unwrap();
    let root = authority.self_signed(&authority_key).unwrap().pem();
    let issuer = Issuer::new(authority, authority_key);
    let mut leaf = CertificateParams::default();
    leaf.subject_alt_names.push(SanType::IpAddress([127, 0, 0, 1].into()));
    let key = KeyPair::generate().unwrap();
    let certificate = leaf.signed_by(&key, &issuer).unwrap().pem();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (certificate, key) = (file("certificate", &certificate), file("key", &key.serialize_pem()));
    let authority = file("authority", &root);
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let _server = crate::server_with(&[
        "--tls-port",
        &port,
        "--tls-cert-file",
        &certificate,
        "--tls-key-file",
        &key,
        "--tls-ca-cert-file",
        &authority,
        "--tls-auth-clients",
        "no",
    ]);
    let url = format!("rediss://127.0.0.1:{port}");
    let redis = Redis::builder(&url).root_certificate(root).build().unwrap();
    redis.ping().await.unwrap();
    let error = Redis::open(url).unwrap().ping().await.unwrap_err();
    assert!(error.to_string().contains("certificate"), "{error}");
}
