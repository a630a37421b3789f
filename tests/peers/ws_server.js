// Echoes messages to one client with npm's ws: node ws_server.js; prints its URL.
const { WebSocketServer } = require('ws');

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: { threshold: 0 } }, () => {
  console.log(`ws://127.0.0.1:${server.address().port}/`);
});
server.on('connection', (peer) => {
  peer.ping('from the server');
  peer.on('message', (data, isBinary) => peer.send(data, { binary: isBinary }));
  peer.on('close', (code) => process.exit(code === 1000 ? 0 : 1));
});
