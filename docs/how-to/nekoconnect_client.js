// node nekoconnect_client.js HOST PORT GREETER TEXT; the password is in NEKOCONNECT_PASSWORD.
const { createHmac, randomBytes } = require("node:crypto");
const net = require("node:net");

const [host, port, greeter, text] = process.argv.slice(2);
const password = process.env.NEKOCONNECT_PASSWORD ?? "";

const hmac = (key, message) => createHmac("sha256", key).update(message).digest("hex");

function encode(greeter, op, random, data, hash) {
  const digits = BigInt(op).toString(16);
  const opBytes = Buffer.from(digits.padStart(digits.length + (digits.length % 2), "0"), "hex");
  const fields = [Buffer.from(greeter), opBytes, ...[random, data, hash].map((x) => Buffer.from(x))];
  const [greeterLen, opLen, randomLen, dataLen, hashLen] = fields.map((field) => field.length);
  const header = Buffer.from([0, 0, 0, 0, opLen, greeterLen, 0, 0, 0, 0, hashLen, randomLen]);
  header.writeUInt32BE(12 + opLen + greeterLen + dataLen + hashLen + randomLen, 0);
  header.writeUInt32BE(dataLen, 6);
  return Buffer.concat([header, ...fields]);
}

async function* frames(socket) {
  let buffer = Buffer.alloc(0);
  for await (const chunk of socket) {
    buffer = Buffer.concat([buffer, chunk]);
    while (buffer.length >= 12 && buffer.length >= buffer.readUInt32BE(0)) {
      let at = 12;
      const take = (size) => buffer.subarray(at, (at += size));
      const frame = { greeter: take(buffer[5]).toString() };
      frame.op = BigInt("0x" + take(buffer[4]).toString("hex"));
      frame.random = take(buffer[11]).toString();
      frame.data = take(buffer.readUInt32BE(6));
      frame.hash = take(buffer[10]).toString();
      buffer = buffer.subarray(at);
      yield frame;
    }
    if (buffer.length > 2_000_000) throw new Error("a frame that is too large");
  }
  throw new Error("the server is gone");
}

async function main() {
  const socket = net.connect(Number(port), host);
  const incoming = frames(socket);
  const random = randomBytes(16).toString("hex");
  socket.write(encode("auth", 200, random, [200], hmac(password, random)));
  const { value: welcome } = await incoming.next();
  if (welcome.greeter !== "nekoconnect-server" || welcome.op !== 200n)
    throw new Error(`not let in: ${welcome.op}`);
  if (welcome.hash !== hmac(`nekoconnect-server\0${password}`, random))
    throw new Error("the server does not know the password");

  socket.write(encode(greeter, 1, "", text, hmac(password, welcome.random)));
  const { value: answer } = await incoming.next();
  if (answer.greeter === "nekoconnect-server") throw new Error(`status ${answer.op}`);
  console.log(`${answer.greeter} ${answer.op} ${answer.data}`);
  socket.destroy();
}

main().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
