// An ordinary conversation of npm's ws with an echo server: node ws_client.js ws://HOST:PORT/echo
const WebSocket = require('ws');

const messages = ['Hello', 'Hello', '', Buffer.alloc(70000), 'x'.repeat(200000), 'größer 文字'];

function converse(options, done) {
  const peer = new WebSocket(process.argv[2], options);
  let heard = 0;
  peer.on('open', () => {
    peer.ping('are you there?');
    peer.send(messages[0]);
  });
  peer.on('message', (data) => {
    if (heard < messages.length && !data.equals(Buffer.from(messages[heard]))) process.exit(1);
    heard += 1;
    if (heard < messages.length) peer.send(messages[heard]);
    else if (heard === messages.length) {
      peer.send('in two ', { fin: false });
      peer.send('fragments', { fin: true });
    } else peer.close(1000, 'all is said');
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
