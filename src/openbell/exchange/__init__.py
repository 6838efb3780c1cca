"""An exchange on the laptop: OUCH 4.2 over SoupBinTCP in, ITCH 5.0 over MoldUDP64 out."""
