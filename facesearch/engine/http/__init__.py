"""The engine over HTTP: who may call, the application, the server, and several processes on one store."""
