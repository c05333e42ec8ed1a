package com.example.iris;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;

/** Answers every request on port 8000 with its profile. */
public final class Iris {
    private Iris() {
    }

    public static void main(String[] arguments) throws IOException {
        String profile = System.getenv().getOrDefault("SPRING_PROFILES_ACTIVE", "development");
        byte[] answer = ("iris, " + profile + "\n").getBytes(StandardCharsets.UTF_8);
        HttpServer server = HttpServer.create(new InetSocketAddress(8000), 0);
        server.createContext("/", exchange -> {
            exchange.sendResponseHeaders(200, answer.length);
            try (OutputStream body = exchange.getResponseBody()) {
                body.write(answer);
            }
        });
        server.start();
    }
}
