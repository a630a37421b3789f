//! `connect` with TLS.

use super::*;

#[test]
fn connect_speaks_tls_and_names_a_certificate_that_it_does_not_accept() {
    let bench = Bench::server();
    let (url, cacert) = (format!("wss://localhost:{}/echo", bench.address().port()), bench.cacert());
    let folder = bench.folder.path().to_owned();
    let file = folder.join("client.pcapng");
    let keys = folder.join("keys");
    let (cacert, file, keys) = (cacert.to_string_lossy(), file.to_string_lossy(), keys.to_string_lossy());
    let known = ["connect", &url, "--headless", "--cacert", &cacert, "--write", &file, "--keylog", &keys];
    let (status, lines, error) = run(&folder, &known);
    assert_eq!(status, Some(0), "{lines}{error}");
    assert!(contains(&std::fs::read(&*file).expect("the file"), "framescope:decrypted server=1"));
    let har = exported(&load(Path::new(&*file)), Format::Har);
    assert!(contains(&har, &format!("\"{url}\"")), "{}", String::from_utf8_lossy(&har));
    assert!(std::fs::read_to_string(&*keys).expect("the file").contains("CLIENT_TRAFFIC_SECRET_0 "));
    let (status, _, error) = run(&folder, &["connect", &url, "--headless"]);
    assert!(status == Some(1) && error.contains("--cacert") && error.lines().count() == 1, "{error}");
    let (status, _, error) = run(&folder, &["connect", &url, "--headless", "-k"]);
    assert!(status == Some(0) && error.contains("warning: any certificate"), "{error}");
    bench.finish();
}
