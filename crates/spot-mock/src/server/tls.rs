//! HTTPS with a certificate that the mock generates at startup.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::{extract::connect_info::Connected, serve::IncomingStream};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tokio::sync::mpsc;
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::server::listener::{BreakableListener, BreakableStream, ConnectionHandle};

/// Host names in the certificate. Some clients have the hosts of Spotify hard-coded.
const HOSTS: [&str; 3] = ["localhost", "api.spotify.com", "accounts.spotify.com"];
/// Time limit of a handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Generates a certificate authority (CA) and a certificate that the CA signs. Returns the
/// configuration of the server, and the CA certificate in PEM format.
pub(crate) fn certificate(
    address: IpAddr,
    host: Option<&str>,
) -> io::Result<(Arc<ServerConfig>, String)> {
    let mut authority = CertificateParams::default();
    authority.distinguished_name.push(DnType::CommonName, "spot-mock authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority_key = KeyPair::generate().map_err(other)?;
    let pem = authority.self_signed(&authority_key).map_err(other)?.pem();
    let issuer = Issuer::new(authority, authority_key);

    let names: Vec<String> = HOSTS.into_iter().chain(host).map(str::to_owned).collect();
    let mut leaf = CertificateParams::new(names).map_err(other)?;
    let loopback = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST), address];
    leaf.subject_alt_names.extend(loopback.map(SanType::IpAddress));
    leaf.distinguished_name.push(DnType::CommonName, "spot-mock");
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    leaf.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate().map_err(other)?;
    let leaf = leaf.signed_by(&key, &issuer).map_err(other)?;

    let chain = vec![CertificateDer::from(leaf.der().to_vec())];
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    // The crypto provider is set here, so that the process-wide default provider is neither used
    // nor installed.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(other)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(other)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok((Arc::new(config), pem))
}

fn other(error: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    io::Error::other(error)
}

/// Accepts TLS connections. Each handshake runs in its own task, so that a slow client does not
/// delay other clients.
pub(crate) struct TlsListener {
    accepted: mpsc::Receiver<(TlsStream<BreakableStream>, SocketAddr)>,
    address: io::Result<SocketAddr>,
}

impl TlsListener {
    pub(crate) fn new(mut listener: BreakableListener, config: Arc<ServerConfig>) -> Self {
        use axum::serve::Listener;

        let (sender, accepted) = mpsc::channel(16);
        let address = listener.local_addr();
        let acceptor = TlsAcceptor::from(config);
        tokio::spawn(async move {
            loop {
                let (stream, peer) = tokio::select! {
                    accepted = listener.accept() => accepted,
                    // The server has stopped.
                    () = sender.closed() => return,
                };
                let (acceptor, sender) = (acceptor.clone(), sender.clone());
                tokio::spawn(async move {
                    match tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
                        Ok(Ok(stream)) => {
                            // An error means that the server has stopped.
                            let _ = sender.send((stream, peer)).await;
                        }
                        Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
                        Err(_) => tracing::debug!("a TLS handshake took too long"),
                    }
                });
            }
        });
        Self { accepted, address }
    }
}

impl axum::serve::Listener for TlsListener {
    type Io = TlsStream<BreakableStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        match self.accepted.recv().await {
            Some(accepted) => accepted,
            // The accepting task stops only when this listener is dropped.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        match &self.address {
            Ok(address) => Ok(*address),
            Err(error) => Err(io::Error::new(error.kind(), error.to_string())),
        }
    }
}

impl Connected<IncomingStream<'_, TlsListener>> for ConnectionHandle {
    fn connect_info(stream: IncomingStream<'_, TlsListener>) -> Self {
        stream.io().get_ref().0.handle()
    }
}
