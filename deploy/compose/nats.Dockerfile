# NATS with a data folder that a user other than root may write, which the official image does not bring.
FROM nats:2-alpine
RUN mkdir /data && chown 1000:1000 /data
COPY nats.conf /etc/nats/whokilled.conf
USER 1000:1000
CMD ["nats-server", "--config", "/etc/nats/whokilled.conf"]
