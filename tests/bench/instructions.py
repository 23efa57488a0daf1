def main(write):
    pass
