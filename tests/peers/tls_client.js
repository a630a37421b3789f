// A TLS client: node tls_client.js PORT. Sends to an echo server and reads the echo, twice; the second connection resumes the session of the
// first one.
const tls = require('tls');

const port = Number(process.argv[2]);
const text = 'Hello, '.repeat(5000);

function converse(session, next) {
  const peer = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false, session });
  let received = 0;
  let ticket;
  peer.on('session', (latest) => { ticket = latest; });
  peer.on('error', () => process.exit(1));
  peer.on('secureConnect', () => {
    if (session && !peer.isSessionReused()) process.exit(2);
    peer.write(text);
  });
  peer.on('data', (data) => {
    received += data.length;
    if (received === text.length) peer.end();
  });
  peer.on('close', () => next(ticket));
}

converse(undefined, (session) => converse(session, () => process.exit(0)));
