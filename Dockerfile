# Checked without Docker: `dotnet publish` as below, and a test that runs its output from an empty folder as a user without rights.
# Not run: the build of the image itself.
FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source
COPY . .
RUN dotnet publish server/PushQueue.Server -c Release -o /app

FROM mcr.microsoft.com/dotnet/aspnet:10.0
WORKDIR /app
COPY --from=build /app .
# The user `app` (1654) comes with the base image.
RUN mkdir /data && chown 1654:1654 /data
USER 1654
VOLUME /data
# Everyone who reaches the container reaches the queues: publish the port only where that is meant, or put a proxy with access control before it.
ENV PUSHQUEUE_LISTEN=0.0.0.0 \
    PUSHQUEUE_PORT=8080 \
    PUSHQUEUE_OPEN=true \
    PUSHQUEUE_DATA=/data
EXPOSE 8080
# SIGTERM tells the streams to connect elsewhere, gives leases back and ends within 10 s.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=2s --start-period=20s CMD ["/bin/bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /healthz HTTP/1.0\\r\\n\\r\\n' >&3 && head -1 <&3 | grep -q ' 200 '"]
ENTRYPOINT ["dotnet", "PushQueue.Server.dll"]
