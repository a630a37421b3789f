// A TLS server: node tls_server.js KEY CERT TLSv1.2|TLSv1.3 echo|page. Prints its port. `echo` returns what it gets; `page` serves a page
// that loads 100 kB.
const fs = require('fs');
const https = require('https');
const tls = require('tls');

const [key, cert, version, what] = process.argv.slice(2);
const options = { key: fs.readFileSync(key), cert: fs.readFileSync(cert), minVersion: version, maxVersion: version };
const answer = (request, response) => {
  if (request.url === '/data') return response.end('x'.repeat(100000));
  response.setHeader('Content-Type', 'text/html');
  return response.end('<script>fetch("/data").then((r) => r.text()).then((t) => { document.title = t.length; })</script>');
};
const server = what === 'page' ? https.createServer(options, answer) : tls.createServer(options, (peer) => {
  peer.on('error', () => {});
  peer.pipe(peer);
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
