// Loaded into each part before its own code: a part stops when the process that started it is gone, also after a
// `kill -9` of that, which no signal announces.
process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));
process.channel?.unref();
