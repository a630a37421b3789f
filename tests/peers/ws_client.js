// Sends messages of every kind to an echo server with npm's ws: node ws_client.js ws://HOST:PORT/echo
const WebSocket = require('ws');

const messages = ['Hello', 'Hello', '', Buffer.alloc(70000), 'x'.repeat(200000), 'größer 文字'];

function converse(options, done) {
  const peer = new WebSocket(process.argv[2], options);
  let received = 0;
  peer.on('open', () => {
    peer.ping('ping');
    peer.send(messages[0]);
  });
  peer.on('message', (data) => {
    if (received < messages.length && !data.equals(Buffer.from(messages[received]))) process.exit(1);
    received += 1;
    if (received < messages.length) peer.send(messages[received]);
    else if (received === messages.length) {
      peer.send('in two ', { fin: false });
      peer.send('fragments', { fin: true });
    } else peer.close(1000, 'done');
  });
  peer.on('error', () => process.exit(1));
  peer.on('close', (code) => (code === 1000 ? done() : process.exit(1)));
}

const options = [
  { perMessageDeflate: true },
  { perMessageDeflate: { threshold: 0 } },
  { perMessageDeflate: { threshold: 0, serverNoContextTakeover: true, clientNoContextTakeover: true } },
  { perMessageDeflate: { threshold: 0, serverMaxWindowBits: 10, clientMaxWindowBits: 10 } },
  { perMessageDeflate: false },
];
const next = () => (options.length ? converse(options.shift(), next) : process.exit(0));
next();
